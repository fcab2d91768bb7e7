"""Snapshots of what the engine writes: what stands, what is not known, and documents that are none."""

from typing import Any

import pytest

from hostgate.catalog.problems import InputError
from hostgate.flows.engine_documents import of_preview, of_state
from hostgate.flows.nodes import REDACTED, UNKNOWN

POLICY = "aws:networkfirewall/firewallPolicy:FirewallPolicy"
SIGNATURE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


def urn(name: str, type_: str = POLICY) -> str:
    return f"urn:pulumi:dev::acme::{type_}::{name}"


def resource(name: str, **more: Any) -> dict[str, Any]:
    return {"urn": urn(name), "type": POLICY, "custom": True, **more}


def state(*resources: dict[str, Any], version: Any = 3) -> dict[str, Any]:
    return {"version": version, "deployment": {"manifest": {}, "resources": list(resources)}}


def preview(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"steps": list(steps), **more}


class TestState:
    def test_what_the_cloud_answered_counts_and_inputs_where_it_has_not(self) -> None:
        both = resource("a", inputs={"x": 1}, outputs={"x": 2, "arn": "arn:a"}, id="arn:a")
        only = resource("b", inputs={"x": 1})
        found = of_state(state(both, only), "f").resources
        assert [each.properties for each in found] == [{"x": 2, "arn": "arn:a"}, {"x": 1}]
        assert found[0].id == "arn:a"

    def test_what_is_yet_to_be_deleted_still_stands_and_so_does_what_is_only_read(self) -> None:
        found = of_state(state(resource("a", delete=True), resource("b", external=True)), "f").resources
        assert [(each.leaving, each.external) for each in found] == [(True, False), (False, True)]

    def test_secrets_in_plain_text_are_what_they_hold_and_others_are_hidden(self) -> None:
        values = {
            "told": {**SIGNATURE, "plaintext": '["a"]'},
            "hidden": {**SIGNATURE, "ciphertext": "v1:abc"},
            "torn": {**SIGNATURE, "plaintext": "{"},
        }
        (found,) = of_state(state(resource("a", outputs=values)), "f").resources
        assert found.properties == {"told": ["a"], "hidden": REDACTED, "torn": REDACTED}

    def test_references_lead_by_id_arn_or_what_they_were_made_from(self) -> None:
        group = resource("group", outputs={"arn": "arn:g"}, id="arn:g")
        policy = resource("policy", propertyDependencies={"group": [urn("group")]}, parent=urn("c", "x:y:Z"))
        component = {"urn": urn("c", "x:y:Z"), "type": "x:y:Z", "custom": False}
        snapshot = of_state(state(component, group, policy), "f")
        holder = snapshot.by_urn[urn("policy")]
        assert [each.name for each in snapshot.referred(holder, "group", "arn:g")] == ["group"]
        assert [each.name for each in snapshot.referred(holder, "group", UNKNOWN)] == ["group"]
        assert snapshot.referred(holder, "group", "arn:other") == ()
        assert [each.name for each in snapshot.parents(holder)] == ["c"]

    @pytest.mark.parametrize(
        ("document", "found"),
        [
            ({}, "`deployment` is no mapping"),
            ({"deployment": []}, "`deployment` is no mapping"),
            (state(version=1), "the version 1"),
            (state(version="3"), "the version '3'"),
            ({"version": 3, "deployment": {"resources": {}}}, "no list of mappings"),
            ({"version": 3, "deployment": {"resources": ["x"]}}, "no list of mappings"),
            (state({"urn": "a::b"}), "a resource with the URN 'a::b'"),
            (state(resource("a", outputs=["x"])), "no mapping of properties"),
        ],
    )
    def test_a_document_of_another_form_is_refused(self, document: dict[str, Any], found: str) -> None:
        with pytest.raises(InputError, match=r"snapshot") as error:
            of_state(document, "file.json")
        assert found in str(error.value)
        assert "file.json" in str(error.value)

    def test_a_stack_without_resources_is_an_empty_snapshot(self) -> None:
        assert of_state({"version": 3, "deployment": {"manifest": {}}}, "f").resources == ()


class TestPreview:
    def test_what_would_stand_is_told_by_the_operation(self) -> None:
        def step(operation: str, name: str, **new: Any) -> dict[str, Any]:
            return {"op": operation, "urn": urn(name), **({"newState": resource(name, inputs=new)} if new else {})}

        document = preview(
            step("same", "stays", x=1), step("delete", "goes"), step("create-replacement", "moves", x=2),
            step("replace", "moves", x=2), step("delete-replaced", "moves"), step("create", "new", x=3),
        )  # fmt: skip
        found = {each.name: each.properties for each in of_preview(document, "f").resources}
        assert found == {"stays": {"x": 1}, "moves": {"x": 2}, "new": {"x": 3}}

    def test_inputs_go_before_outputs_of_before_and_unknown_values_are_unknown(self) -> None:
        new = resource(
            "a",
            inputs={"x": "04da6b54-80e4-46f7-96ec-b56ff0331ba9", "__defaults": []},
            outputs={"x": 1, "arn": "arn:a"},
        )
        document = preview({"op": "update", "urn": urn("a"), "newState": new})
        assert of_preview(document, "f").resources[0].properties == {"x": UNKNOWN, "arn": "arn:a"}

    @pytest.mark.parametrize(
        ("document", "found"),
        [
            ({}, "`steps` is no list of mappings"),
            (preview(), "no resource is in it"),
            (preview(changeSummary={"same": 2}), "2 resources that do not change are left out"),
            (preview({"op": "create"}), "a step without a `urn`"),
        ],
    )
    def test_a_document_of_another_form_is_refused(self, document: dict[str, Any], found: str) -> None:
        with pytest.raises(InputError) as error:
            of_preview(document, "file.json")
        assert found in str(error.value)
