// hostgate: 5 hosts for Proxy auto-configuration
var HOSTGATE = {"http:80": {
  "lists.corp.example": ["subtree+apex"],
  "mirror.corp.example": ["exact"]
}, "https:443": {
  "blobs.corp.example": ["subtree"],
  "one.corp.example": ["one-label"],
  "registry.corp.example": ["exact"]
}};

function FindProxyForURL(url, host) {
  var refused = "PROXY 127.0.0.1:9";
  var form = /^(https?|wss?):\/\/(?:[^\/?#]*@)?(\[[^\]\/]*\]|[^:\/?#\[\]]+)(?::([0-9]*))?(?:[\/?#]|$)/;
  var parts = form.exec(String(url).toLowerCase());
  var name = String(host).toLowerCase();
  if (!parts || parts[2] !== name) { return refused; }
  var tls = parts[1] === "https" || parts[1] === "wss";
  var listed = HOSTGATE[(tls ? "https:" : "http:") + Number(parts[3] || (tls ? 443 : 80))];
  name = name.replace(/\.$/, "");
  if (!listed || /^\.|\.\.|[:\[]/.test(name)) { return refused; }
  for (var rest = name, depth = 0; rest; depth += 1) {
    var kinds = listed.hasOwnProperty(rest) ? listed[rest] : [];
    for (var at = 0; at < kinds.length; at += 1) {
      if (kinds[at] === (depth === 0 ? "exact" : "subtree")) { return "PROXY proxy.corp.example:3128"; }
      if (kinds[at] === "subtree+apex" || (kinds[at] === "one-label" && depth === 1)) { return "PROXY proxy.corp.example:3128"; }
    }
    var dot = rest.indexOf(".");
    rest = dot < 0 ? "" : rest.slice(dot + 1);
  }
  return refused;
}
