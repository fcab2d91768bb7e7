set -u
LC_ALL=C
export LC_ALL

usage() {
  cat >&2 <<'END'
Usage: sh probe.sh [-l] [-p NUMBER] [CLIENT...] > probe.log

Try what is expected of the network, from this client. One line of JSON for each probe; on a terminal, and on stderr, one
line for people. Read the log back: hostgate explain --log probe.log

  -l         list what is tried and expected, and try nothing
  -p NUMBER  where there are several places: the one that this client's connections pass
  CLIENT     what the firewall knows this client by, where that is not an address of its own: an address behind NAT,
             account:NAME@PROJECT.iam.gserviceaccount.com, tag:tagValues/NUMBER

Exit code: 0 all that was tried agrees; 1 there is no curl; 2 wrong usage; 3 something passes that should not; 4 something
should pass and does not; 5 something cannot be told, or nothing was tried. The first of 3, 4 and 5 that holds. What
should not pass and may have nothing behind it that would answer is unproven, and no error.
HOSTGATE_PROBE_SECONDS: how long to wait for a connection (5).
END
  exit 2
}

place='' list=''
while getopts lp:h option; do
  case $option in
    l) list=yes ;;
    p) place=$OPTARG ;;
    *) usage ;;
  esac
done
shift $((OPTIND - 1))
case $place in *[!0-9]*) usage ;; esac
wait=${HOSTGATE_PROBE_SECONDS:-5}
case $wait in '' | 0* | *[!0-9]* | ???*) usage ;; esac # to curl, 0 is no limit

own_addresses() {
  if command -v ip >/dev/null 2>&1; then
    ip -o addr show 2>/dev/null | awk '$3 ~ /^inet/ { sub("/.*", "", $4); print $4 }'
  elif command -v ifconfig >/dev/null 2>&1; then
    ifconfig 2>/dev/null | awk '$1 ~ /^inet/ { sub("addr:", "", $2); sub("[/%].*", "", $2); print $2 }'
  else
    hostname -I 2>/dev/null
  fi
}

mine=$(own_addresses)
ipv6=yes # where nothing here can say, it is tried
if [ -n "$mine" ]; then
  ipv6=$(printf '%s\n' $mine | awk '/:/ && !/^fe80:/ && $0 != "::1" { print "yes"; exit }')
fi

own=$*
[ -n "$own" ] || own=$mine
case $own in *[!A-Za-z0-9.:/@_' '"
"-]*) usage ;; esac

# The first of $OWN that is one of $WANTED, or an address in a range of it.
which_client() {
  WANTED=$1 OWN=$own awk '
    function octets(text, out, parts, halves, left, right, n, i, value) {
      if (text ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/) {
        split(text, parts, ".")
        for (i = 1; i <= 4; i++) out[i] = parts[i] + 0
        return 4
      }
      if (text !~ /^[0-9a-fA-F:]+$/ || text !~ /:/) return 0
      n = split(text, halves, "::")
      for (i = 1; i <= 16; i++) out[i] = 0
      left = split(halves[1], parts, ":")
      for (i = 1; i <= left; i++) {
        value = hex(parts[i])
        out[2 * i - 1] = int(value / 256); out[2 * i] = value % 256
      }
      if (n == 2) {
        right = split(halves[2], parts, ":")
        for (i = 1; i <= right; i++) {
          value = hex(parts[i])
          out[16 - 2 * (right - i) - 1] = int(value / 256); out[16 - 2 * (right - i)] = value % 256
        }
      }
      return 16
    }
    function hex(text, i, value) {
      value = 0
      text = tolower(text)
      for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
      return value
    }
    function inside(address, range, parts, one, other, size, bits, i, step) {
      split(range, parts, "/")
      size = octets(address, one)
      if (size == 0 || size != octets(parts[1], other)) return 0
      bits = parts[2] == "" ? size * 8 : parts[2] + 0
      for (i = 1; i <= size && bits > 0; i++) {
        step = bits >= 8 ? 1 : 2 ^ (8 - bits)
        if (int(one[i] / step) != int(other[i] / step)) return 0
        bits -= 8
      }
      return 1
    }
    BEGIN {
      mine = split(ENVIRON["OWN"], own)
      theirs = split(ENVIRON["WANTED"], wanted)
      for (i = 1; i <= mine; i++)
        for (j = 1; j <= theirs; j++)
          if (own[i] == wanted[j] || inside(own[i], wanted[j])) { print own[i]; exit }
    }'
}

tried=0 agree=0 disagree=0 undecided=0 unproven=0 left=0 opened='' closed=''

# Print a result: status, found, passed, client, remote, why.
report() {
  now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
  if ! [ -t 1 ]; then
    printf '{"hostgate_probe": "%s", "time": "%s", "status": "%s", "expected": "%s", "found": "%s", "passed": "%s", "client": "%s", "remote": "%s", %s}\n' \
      "$id" "$now" "$1" "$expected" "$2" "$3" "$4" "$5" "$static"
  fi
  shown=$1
  [ "$shown" = disagrees ] && shown=DISAGREES
  line=$(printf '%s  %-9s  %s  %s: expected %s, found %s%s' "$now" "$shown" "$id" "$told" "$expected" "$2" "${6:+ ($6)}")
  if [ -t 1 ]; then printf '%s\n' "$line"; else printf '%s\n' "$line" >&2; fi
}

skip() {
  left=$((left + 1))
  report skipped "not tried" unknown '' '' "$1"
}

not_tried() { # id told static why
  id=$1 told=$2 static=$3 expected=unknown
  if [ -n "$list" ]; then printf '%s  %s: not tried (%s)\n' "$id" "$told" "$4"; else skip "$4"; fi
}

# What became of it: sets $found, and $passed as far as that tells whether the packets got through.
classify() { # code output way answers queries bare asked denial
  numbers=${2##*hostgate-probe }
  connect=${numbers%% *} numbers=${numbers#* }
  secured=${numbers%% *} numbers=${numbers#* }
  status=${numbers%% *} numbers=${numbers#* }
  received=${numbers%% *} numbers=${numbers#* }
  remote=${numbers%% *}
  case $remote in *[!0-9a-fA-F.:]*) remote='' ;; esac
  case $connect$3 in *[1-9]*telnet) reached=yes ;; *) reached='' ;; esac
  case $3$secured in https*[1-9]* | quic*[1-9]*) reached=yes ;; esac
  case $3$status in http[1-9]*) reached=yes ;; esac
  if [ -n "$reached" ]; then
    found=connected
    # Of a request in clear text, or through a proxy, what stands before the server can answer for it: with these
    # (RFC 9110, RFC 7725, RFC 6585). How what judges here denies is known of some.
    case $7$3$status in
      1*403 | 1*407 | 1*451 | ?http403 | ?http407 | ?http451 | ?http470 | ?http50[234] | ?http511) found="answered with HTTP $status" ;;
    esac
    [ -z "$8" ] || [ "$status" != "$8" ] || found="refused with HTTP $status"
  else
    case $1 in
      6) found="name not resolved" ;;
      5) found="proxy not resolved" ;;
      28) case $2 in *"Resolving timed out"*) found="name not resolved" ;; *) found="timed out" ;; esac ;;
      35 | 52 | 55 | 56)
        case $2 in
          *"Connection reset"* | *"Connection refused"* | *SSL_ERROR_SYSCALL* | *"unexpected eof"* | *"Empty reply"* | *"non-properly terminated"* | *"Broken pipe"*) found=reset ;;
          *"CONNECT tunnel failed"* | *"from proxy after CONNECT"*) found=refused ;;
          *) found="TLS failed" ;;
        esac ;;
      51 | 53 | 54 | 58 | 59 | 60 | 66 | 77 | 80 | 82 | 83 | 90 | 91) found="TLS failed" ;;
      7)
        case $2 in
          *"Connection refused"*) found=refused ;;
          *"Network is unreachable"* | *"Cannot assign requested address"*) found="no route" ;;
          *Trying*) found=unreachable ;;
          *) found="name not resolved" ;; # to no address of the family: curl had nothing to try
        esac ;;
      *) found="curl failed with $1" ;;
    esac
  fi
  passed=unknown
  case $found in
    connected) if [ "$3" != telnet ] || [ -z "$6" ] || [ "$received" != 0 ]; then passed=yes; fi ;;
    refused | reset | unreachable | "timed out") if [ "$4" = 1 ]; then passed=no; else passed=unproven; fi ;;
    "name not resolved") if [ "$5" = 1 ]; then passed=no; fi ;;
    "refused with HTTP "*) passed=no ;;
  esac
}

probe() { # id told static expected answers queries bare asked family way host port name verify clients wanted denial
  id=$1 told=$2 static=$3 expected=$4 answers=$5 queries=$6 bare=$7 asked=$8 family=$9
  shift 9
  way=$1 host=$2 port=$3 name=$4 verify=$5 clients=$6 wanted=$7 denial=$8
  if [ -n "$list" ]; then
    printf '%s  %s: expected %s%s\n' "$id" "$told" "$expected" "${clients:+, from $clients}"
    return
  fi
  client=''
  if [ -n "$clients" ]; then
    client=$(which_client "$clients")
    if [ -z "$client" ]; then
      skip "run it on a client of $clients"
      return
    fi
  fi
  if [ "$family" = 6 ] && [ -z "$ipv6" ]; then
    skip "this client has no IPv6 address"
    return
  fi
  set -- -q -sS -v -g -o /dev/null -A hostgate-probe --connect-timeout "$wait" -m "$((wait * 2))" \
    -w '\nhostgate-probe %{time_connect} %{time_appconnect} %{http_code} %{size_download} %{remote_ip} '
  [ -z "$family" ] || set -- "$@" "-$family"
  if [ "$asked" != 1 ]; then
    set -- "$@" --noproxy '*'
  elif [ -z "${https_proxy:-}${HTTPS_PROXY:-}" ]; then
    skip "set https_proxy to the gateway"
    return
  else
    set -- "$@" --noproxy ''
  fi
  case $way in
    quic)
      case $version in *HTTP3*) ;; *) skip "this curl has no HTTP/3"; return ;; esac
      set -- "$@" --http3-only -I "https://$host:$port/" ;;
    telnet) set -- "$@" "telnet://$host:$port" ;;
    *) set -- "$@" -I "$way://$name:$port/"
      [ "$name" = "$host" ] || set -- "$@" --connect-to "$name:$port:$host:$port" ;;
  esac
  [ "$verify" = 1 ] || set -- "$@" -k
  output=$(curl "$@" </dev/null 2>&1)
  classify $? "$output" "$way" "$answers" "$queries" "$bare" "$asked" "$denial"
  if [ "$found" = "no route" ]; then
    skip "this client has no route there"
    return
  fi
  if [ "$found$family$answers" = "name not resolved60" ]; then
    skip "the host has no IPv6 address"
    return
  fi
  tried=$((tried + 1)) why=''
  # Where nobody can tell what becomes of it, what the catalogs want is what counts.
  [ "$expected" = unknown ] && judged=$wanted || judged=$expected
  case $expected$judged$passed in
    unknownallowno) why="the catalogs need it" ;;
    unknownblockyes) why="no catalog needs it" ;;
  esac
  case $judged$passed in
    allowyes | blockno) status=agrees agree=$((agree + 1)) ;;
    allowno) status=disagrees disagree=$((disagree + 1)) closed=yes ;;
    blockyes) status=disagrees disagree=$((disagree + 1)) opened=yes ;;
    blockunproven) status=unproven unproven=$((unproven + 1)) why="perhaps nothing is there that would answer" ;;
    yes | no) status=told ;;
    *)
      status=undecided undecided=$((undecided + 1))
      case $found in
        connected) why=$bare ;;
        "name not resolved") why="nothing was sent" ;;
        "TLS failed" | "answered with "*) why="something answered, the server or what stands before it" ;;
        *) why="perhaps nothing is there that would answer" ;;
      esac ;;
  esac
  report "$status" "$found" "$passed" "$client" "$remote" "$why"
}

if [ -z "$list" ]; then
  version=$(curl -q --version 2>/dev/null) || { echo "There is no curl here. Install it; nothing was tried." >&2; exit 1; }
fi
