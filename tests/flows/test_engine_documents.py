"""Snapshots of what the engine writes: what stands, what is not known, and documents that are none."""

from typing import Any

import pytest

from hostgate.catalog.problems import InputError
from hostgate.flows.engine_documents import of_deployed, of_preview, of_state, states_of
from hostgate.flows.nodes import UNKNOWN

POLICY = "aws:networkfirewall/firewallPolicy:FirewallPolicy"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
ASSET = {"4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17", "hash": "0a"}
HIDDEN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def urn(name: str, type_: str = POLICY) -> str:
    return f"urn:pulumi:dev::acme::{type_}::{name}"


def resource(name: str, **more: Any) -> dict[str, Any]:
    return {"urn": urn(name), "type": POLICY, "custom": True, **more}


def state(*resources: dict[str, Any], version: Any = 3, **more: Any) -> dict[str, Any]:
    return {"version": version, "deployment": {"manifest": {}, "resources": list(resources), **more}}


def preview(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"steps": list(steps), "changeSummary": {}, **more}


class TestState:
    def test_what_the_cloud_answered_counts_and_inputs_where_it_has_not(self) -> None:
        both = resource("a", inputs={"x": 1}, outputs={"x": 2, "arn": "arn:a"}, id="arn:a")
        only = resource("b", inputs={"x": 1})
        found = of_state(state(both, only), "f").resources
        assert [each.properties for each in found] == [{"x": 2, "arn": "arn:a"}, {"x": 1}]
        assert found[0].id == "arn:a"

    def test_a_component_has_its_inputs_beside_the_outputs_that_it_registered(self) -> None:
        made = {
            **resource("c", inputs={"target": "x", "digest": "a"}, outputs={"digest": "a", "policy": "p"}),
            "custom": False,
        }
        expected = {"target": "x", "digest": "a", "policy": "p"}
        assert [each.properties for each in of_state(state(made), "f").resources] == [expected]
        same = preview({"op": "same", "oldState": made, "newState": {**made, "outputs": {}}})
        assert [each.properties for each in of_preview(same, "f").resources] == [expected]

    def test_what_is_yet_to_be_deleted_still_stands_beside_its_successor_and_what_is_only_read_stands(self) -> None:
        old, new = resource("a", delete=True, id="1"), resource("a", id="2")
        snapshot = of_state(state(new, old, resource("b", external=True)), "f")
        assert [each.id for each in snapshot.resources] == ["2", "1", ""]
        assert snapshot.by_urn[urn("a")].id == "2"

    def test_what_was_deleted_to_be_made_anew_does_not_stand(self) -> None:
        found = of_state(state(resource("a", pendingReplacement=True), resource("b")), "f").resources
        assert [each.name for each in found] == ["b"]

    def test_secrets_in_plain_text_are_what_they_hold_and_all_else_with_a_mark_is_unknown(self) -> None:
        values = {
            "told": {**SECRET, "plaintext": '["a"]'},
            "inner": {**SECRET, "plaintext": f'{{"a": "{HIDDEN}"}}'},
            "hidden": {**SECRET, "ciphertext": "v1:abc"},
            "torn": {**SECRET, "plaintext": "{"},
            "masked": "[secret]",
            "asset": ASSET,
        }
        (found,) = of_state(state(resource("a", outputs=values)), "f").resources
        assert found.properties == {
            "told": ["a"],
            "inner": {"a": UNKNOWN},
            **dict.fromkeys(("hidden", "torn", "masked", "asset"), UNKNOWN),
        }

    def test_references_lead_by_id_arn_or_what_they_were_made_from(self) -> None:
        group = resource("group", outputs={"arn": "arn:g"}, id="arn:g")
        policy = resource("policy", propertyDependencies={"group": [urn("group")]}, parent=urn("c", "x:y:Z"))
        component = {"urn": urn("c", "x:y:Z"), "type": "x:y:Z", "custom": False}
        snapshot = of_state(state(component, group, policy), "f")
        holder = snapshot.by_urn[urn("policy")]
        assert [each.name for each in snapshot.referred(holder, "group", "arn:g")] == ["group"]
        assert [each.name for each in snapshot.referred(holder, "group", UNKNOWN)] == ["group"]
        assert snapshot.referred(holder, "group", "arn:other") == ()

    def test_a_resource_goes_by_its_name_in_the_cloud_and_a_type_by_no_version_of_an_api(self) -> None:
        type_ = "azure-native:network/v20240501:FirewallPolicy"
        known = {**resource("a", inputs={"firewallPolicyName": "hub"}), "type": type_}
        found = of_state(state(known, resource("b", inputs={"name": HIDDEN})), "f").resources
        assert [(each.name, each.type) for each in found] == [
            ("hub", "azure-native:network:FirewallPolicy"), ("b", POLICY),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("document", "found"),
        [
            ({}, "the keys of an empty mapping"),
            ([], "a list, and no mapping"),
            ({"a": 1, "b": 2}, "the keys 'a', 'b'"),
            (preview(), "a preview of the engine (--preview)"),
            ({"checkpoint": {}}, "a file of the engine's own backend"),
            ({"deployment": "v1:abc"}, "`deployment` is no mapping, as where the whole state is encrypted"),
            (state(version=1), "the version 1"),
            (state(version="3"), "the version '3'"),
            ({"version": 3, "deployment": {"resources": {"a": 1}}}, "`deployment.resources` is no list of mappings"),
            ({"version": 3, "deployment": {"resources": ["x"]}}, "`deployment.resources` is no list of mappings"),
            ({"version": 3, "deployment": {"manifest": {}}}, "no resource in it"),
            (state({"urn": "a::b"}), "a resource with the URN 'a::b'"),
            (state(resource("a", outputs=["x"])), "no mapping of properties"),
            (state(pending_operations=[{"resource": resource("a"), "type": "creating"}]), "that was interrupted"),
        ],
    )
    def test_a_document_of_another_form_is_refused(self, document: Any, found: str) -> None:
        with pytest.raises(InputError) as error:
            of_state(document, "file.json")
        assert found in str(error.value)
        assert "file.json" in str(error.value)
        assert "Allowed: " in str(error.value)


def test_of_a_component_what_it_was_given_stands_beside_what_it_gives() -> None:
    made = resource("list", inputs={"decisions": {"a": "allowed"}, "x": 0}, outputs={"x": 1}, custom=False)
    (held,) = of_state(state(made), "f").resources
    (kept,) = of_preview(preview({"op": "same", "oldState": made, "newState": made}), "f").resources
    (deployed,) = of_deployed(preview({"op": "same", "oldState": made, "newState": made}), "f").resources
    assert [each.properties for each in (held, kept, deployed)] == [{"decisions": {"a": "allowed"}, "x": 1}] * 3
    (drifted,) = of_state(state({**made, "custom": True}), "f").resources
    assert drifted.properties == {"x": 1}


class TestPreview:
    def test_what_would_stand_is_told_by_the_operation(self) -> None:
        def step(operation: str, name: str, **new: Any) -> dict[str, Any]:
            old = {"oldState": resource(name, inputs={"x": 0}, outputs={"x": 0}, id="0")} if operation[0] != "c" else {}
            return {"op": operation, **old, **({"newState": resource(name, inputs=new)} if new else {})}

        document = preview(
            step("same", "stays", x=0), step("delete", "goes"), step("create-replacement", "moves", x=2),
            step("replace", "moves", x=2), step("delete-replaced", "moves"), step("create", "new", x=3),
            step("refresh", "drifted", x=0), step("update", "drifted", x=1),
        )  # fmt: skip
        found = {each.name: (each.properties, each.id) for each in of_preview(document, "f").resources}
        assert found == {
            "stays": ({"x": 0}, "0"), "moves": ({"x": 2}, ""), "new": ({"x": 3}, ""), "drifted": ({"x": 1}, "0"),
        }  # fmt: skip

    def test_what_an_alias_renames_keeps_what_its_cloud_made_of_it(self) -> None:
        old = resource("old", inputs={"x": 0}, outputs={"x": 0, "arn": "arn:a"}, id="0")
        document = preview(
            {"op": "same", "oldState": old, "newState": resource("new", inputs={"x": 0})},
            {"op": "update", "oldState": {**old, "urn": urn("was")}, "newState": resource("is", inputs={"x": 1})},
        )
        found = {each.name: (each.properties, each.id) for each in of_preview(document, "f").resources}
        assert found == {"new": ({"x": 0, "arn": "arn:a"}, "0"), "is": ({"x": 1, "arn": "arn:a"}, "0")}

    def test_an_operation_that_nobody_knows_is_refused_with_those_that_are_known(self) -> None:
        with pytest.raises(InputError, match="Found the operation 'frobnicate'"):
            of_preview(preview({"op": "frobnicate", "newState": resource("a")}), "f")

    def test_before_the_update_stands_what_it_replaces_and_not_what_an_earlier_one_left_to_delete(self) -> None:
        old, left = resource("a", delete=True, id="2"), resource("b", delete=True, id="1")
        steps = [
            {"op": "create-replacement", "oldState": old, "newState": resource("a")},
            {"op": "replace", "oldState": old, "newState": resource("a")},
            {"op": "delete-replaced", "oldState": old}, {"op": "delete-replaced", "oldState": left},
            {"op": "delete", "oldState": resource("c", id="3")},
        ]  # fmt: skip
        assert [each["id"] for each in states_of(steps, before=True)] == ["2", "3"]

    def test_what_leaves_the_stack_and_not_the_cloud_stands(self) -> None:
        kept = resource("kept", inputs={"x": 1}, outputs={"x": 2}, retainOnDelete=True, id="1")
        read = resource("read", outputs={"x": 3}, external=True, id="2")
        gone = resource("gone", inputs={"x": 4})
        document = preview(
            {"op": "delete-replaced", "oldState": kept}, {"op": "discard", "oldState": read},
            {"op": "delete", "oldState": gone}, {"op": "create-replacement", "newState": resource("kept", inputs={"x": 5})},
        )  # fmt: skip
        found = [(each.id, each.properties["x"]) for each in of_preview(document, "f").resources]
        assert found == [("1", 2), ("2", 3), ("", 5)]

    def test_what_is_read_for_the_first_time_is_not_seen_and_never_taken_for_empty(self) -> None:
        new = resource("theirs", external=True, id="1")
        read = {"op": "read", "newState": new}
        again = {**read, "oldState": {**new, "outputs": {"x": 1}}}
        own = {"op": "create", "newState": resource("own")}
        assert [each.name for each in of_preview(preview(read, own), "f").resources] == ["own"]
        assert [each.properties for each in of_preview(preview(again), "f").resources] == [{"x": 1}]

    def test_an_input_that_is_gone_does_not_come_back_from_what_the_cloud_answered_before(self) -> None:
        old = resource("a", inputs={"x": 1, "y": 1}, outputs={"x": 1, "y": 1, "arn": "arn:a"}, id="arn:a")
        new = resource("a", inputs={"x": HIDDEN, "__defaults": []})
        (found,) = of_preview(preview({"op": "update", "oldState": old, "newState": new}), "f").resources
        assert found.properties == {"x": UNKNOWN, "arn": "arn:a"}

    def test_what_does_not_change_is_read_as_the_state_is(self) -> None:
        old = resource("a", inputs={"x": 1}, outputs={"x": 2, "arn": "arn:a"}, id="arn:a")
        new = resource("a", inputs={"x": 1})
        (found,) = of_preview(preview({"op": "same", "oldState": old, "newState": new}), "f").resources
        assert (found.properties, found.id) == ({"x": 2, "arn": "arn:a"}, "arn:a")

    @pytest.mark.parametrize(
        ("document", "found"),
        [
            ({}, "the keys of an empty mapping"),
            (state(), "a state of the engine (--state)"),
            ({"targets": []}, "plans of hostgate"),
            ({"steps": {"a": 1}}, "`steps` is no list of mappings"),
            (preview(), "no resource in it"),
            (preview({"op": "create", "newState": resource("a")}, maybeCorrupt=True), "a preview that failed"),
            (
                preview(
                    {"op": "create", "newState": resource("a")}, diagnostics=[{"severity": "error", "message": "x"}]
                ),
                "a preview that failed",
            ),
            (preview(changeSummary={"same": 2}), "2 resources that do not change are left out"),
            (preview({"op": "same"}, changeSummary=None), "no `changeSummary` that counts the resources"),
            (preview({"op": "same"}, changeSummary={"same": "2"}), "no `changeSummary` that counts the resources"),
            (preview({"op": "create", "newState": {"type": "a"}}), "a resource without a `urn`"),
        ],
    )
    def test_a_document_of_another_form_is_refused(self, document: Any, found: str) -> None:
        with pytest.raises(InputError) as error:
            of_preview(document, "file.json")
        assert found in str(error.value)
