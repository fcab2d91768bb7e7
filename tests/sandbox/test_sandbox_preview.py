"""The built-in preview shows what the engine would create: URNs, parents, dependencies, unknowns, outputs."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pulumi
import pytest

from hostgate.flows.nodes import UNKNOWN
from hostgate.sandbox.builtin_preview import preview
from hostgate.sandbox.clouds import Cloud
from hostgate.sandbox.preview_problems import PreviewError
from hostgate.sandbox.resources import Preview, PreviewResource

WriteProject = Callable[..., Path]

STACK = "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev"
BOX = "urn:pulumi:dev::demo::toy:index:Box::"


def by_name(result: Preview) -> dict[str, PreviewResource]:
    return {resource.name: resource for resource in result.resources}


def test_a_urn_names_all_parent_types_but_not_the_stack(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        outer = Group("outer")
        inner = Group("inner", pulumi.ResourceOptions(parent=outer))
        Box("deep", pulumi.ResourceOptions(parent=inner), size=1)
        Box("top", size=1)
    """)
    result = preview(folder, "dev", {}, clouds=[toy])
    assert [(resource.urn, resource.parent) for resource in result.resources] == [
        (STACK, None),
        ("urn:pulumi:dev::demo::demo:index:Group::outer", STACK),
        (
            "urn:pulumi:dev::demo::demo:index:Group$demo:index:Group::inner",
            "urn:pulumi:dev::demo::demo:index:Group::outer",
        ),
        (
            "urn:pulumi:dev::demo::demo:index:Group$demo:index:Group$toy:index:Box::deep",
            "urn:pulumi:dev::demo::demo:index:Group$demo:index:Group::inner",
        ),
        ("urn:pulumi:dev::demo::toy:index:Box::top", STACK),
    ]
    assert result.ok


def test_dependencies_come_from_outputs_and_depends_on(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        a = Box("a", size=1)
        b = Box("b", pulumi.ResourceOptions(depends_on=[a]), size=1)
        Box("c", size=1, items=[b.label, "x"])
    """)
    resources = by_name(preview(folder, "dev", {}, clouds=[toy]))
    assert resources["a"].dependencies == ()
    assert resources["b"].dependencies == (f"{BOX}a",)
    assert resources["b"].property_dependencies == {}
    assert resources["c"].dependencies == (f"{BOX}b",)
    assert resources["c"].property_dependencies == {"items": (f"{BOX}b",)}


def test_unknowns_stay_unknown_inside_lists_and_maps(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        a = Box("a", size=1)
        b = Box("b", size=2, nested={"list": ["known", {"deep": a.label}], "id": a.id, "text": a.label.apply(len)})
        pulumi.export("nested", b.nested)
        pulumi.export("size", b.name.apply(len))
        pulumi.export("both", {"known": 1, "unknown": a.label})
    """)
    result = preview(folder, "dev", {}, clouds=[toy])
    b = by_name(result)["b"]
    nested = {"list": ["known", {"deep": UNKNOWN}], "id": UNKNOWN, "text": UNKNOWN}
    assert b.inputs["nested"] == nested
    assert b.outputs["nested"] == nested
    assert b.outputs["label"] is UNKNOWN
    assert b.id is UNKNOWN
    assert repr(UNKNOWN) == "[unknown]"
    assert result.outputs["both"] == {"known": 1, "unknown": UNKNOWN}
    assert result.outputs["size"] == len("b-1234567")


def test_a_missing_name_is_made_up_and_the_same_every_time(project: WriteProject, toy: Cloud) -> None:
    folder = project('Box("a", size=1)\nBox("b", size=1, name="mine")')
    first, second = (by_name(preview(folder, "dev", {}, clouds=[toy])) for _ in range(2))
    assert first["a"].inputs["name"].startswith("a-")
    assert first["a"].inputs["name"] == second["a"].inputs["name"]
    assert first["b"].inputs["name"] == "mine"


def test_the_order_does_not_depend_on_arrival(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        for name in "gfbadce":
            group = Group(name)
            for child in "321":
                Box(name + child, pulumi.ResourceOptions(parent=group), size=1, nested={"z": 1, "a": 2})
    """)
    results = [preview(folder, "dev", {}, clouds=[toy]) for _ in range(3)]
    names = [resource.name for resource in results[0].resources]
    assert names == ["demo-dev", *(each for group in "abcdefg" for each in (group, *(group + n for n in "123")))]
    assert repr(results[0]) == repr(results[1]) == repr(results[2])


def test_a_provider_given_to_a_component_serves_its_children(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        eu = Toy("eu", region="eu-west-1", key=pulumi.Output.secret("abc123"))
        for name, how in {"x": {"provider": eu}, "y": {"providers": [eu]}, "z": {"providers": {"toy": eu}}}.items():
            group = Group(name, pulumi.ResourceOptions(**how))
            inner = Group(name + "i", pulumi.ResourceOptions(parent=group))
            Box(name + "b", pulumi.ResourceOptions(parent=inner), size=1)
        Box("alone", size=1, opts=pulumi.ResourceOptions(version="1.2.3"))
    """)
    resources = by_name(preview(folder, "dev", {}, clouds=[toy]))
    boxes = [resource for name, resource in resources.items() if name.endswith("b")]
    explicit = "urn:pulumi:dev::demo::pulumi:providers:toy::eu"
    assert [box.provider for box in boxes] == [explicit] * 3
    assert resources["alone"].provider == "urn:pulumi:dev::demo::pulumi:providers:toy::default_1_2_3"
    assert resources["eu"].inputs == {"key": "[secret]", "region": "eu-west-1"}
    assert not [name for name in resources if name.startswith("default")]


def test_options_are_reported_and_protect_is_inherited(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        group = Group("group", pulumi.ResourceOptions(protect=True))
        Box("a", pulumi.ResourceOptions(parent=group, ignore_changes=["size"], delete_before_replace=True,
            aliases=[pulumi.Alias(name="old"), pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]),
            size=1)
    """)
    result = preview(folder, "dev", {}, clouds=[toy])
    box = by_name(result)["a"]
    assert box.options.protect
    assert box.options.delete_before_replace is True
    assert box.options.ignore_changes == ("size",)
    assert box.options.aliases == (
        "urn:pulumi:dev::demo::demo:index:Group$toy:index:Box::old",
        "urn:pulumi:dev::demo::toy:index:Box::a",
    )
    assert (box.options.import_id, box.id) == ("", UNKNOWN)


def test_secrets_are_masked_everywhere(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        password = pulumi.Config().require_secret("password")
        print("early swordfish")
        box = Box("a", size=1, password=password, nested={"in": [pulumi.Output.secret("deeper")]})
        Group("g", given=password)
        Box("b", pulumi.ResourceOptions(additional_secret_outputs=["name"]), size=1, name="also hidden")
        pulumi.export("password", password)
        pulumi.log.warn("the password is swordfish, or deeper")
    """)
    result = preview(folder, "dev", {"demo:password": "swordfish"}, secret_keys=["demo:password"], clouds=[toy])
    assert "swordfish" not in repr(result)
    assert "deeper" not in repr(result)
    assert by_name(result)["a"].inputs["nested"] == {"in": ["[secret]"]}
    assert by_name(result)["b"].outputs["name"] == "[secret]"
    assert result.outputs == {"password": "[secret]"}
    with pytest.raises(PreviewError) as failed:
        preview(folder, "dev", {"demo:password": "swordfish in the sea"}, secret_keys=["demo:password"], clouds=[toy])
    assert "in the sea" not in str(failed.value)


def test_resources_as_inputs_become_their_id_or_urn(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        a = Box("a", size=1)
        group = Group("group", box=a)
        Box("b", size=1, nested={"box": a, "group": group})
    """)
    resources = by_name(preview(folder, "dev", {}, clouds=[toy]))
    assert resources["group"].inputs == {"box": UNKNOWN}
    assert resources["b"].inputs["nested"] == {"box": UNKNOWN, "group": "urn:pulumi:dev::demo::demo:index:Group::group"}


def test_config_reaches_the_program_and_its_prints_become_diagnostics(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        import os, sys
        config = pulumi.Config()
        print(config.require_object("aws")["mode"], pulumi.get_stack(), pulumi.get_project(), pulumi.runtime.is_dry_run())
        sys.stdout.reconfigure(errors="strict")
        sys.stdout.buffer.write(b"bytes\\n")
        sys.stderr.write("no end of line")
        os.environ["LEFT_BEHIND"] = "1"
        pulumi.log.info(str(os.getcwd() == os.path.dirname(__file__)))
    """)
    result = preview(folder, "dev", {"demo:aws": '{"mode": "audit"}'}, clouds=[toy])
    said = sorted((each.severity, each.message) for each in result.diagnostics)
    assert said == [("info", text) for text in ("True", "audit dev demo True", "bytes", "no end of line")]
    assert "LEFT_BEHIND" not in os.environ


def test_an_error_message_of_the_program_makes_the_preview_not_ok(project: WriteProject, toy: Cloud) -> None:
    result = preview(project('pulumi.log.error("broken")'), "dev", {}, clouds=[toy])
    assert not result.ok


def test_two_previews_in_one_process_do_not_meet(project: WriteProject, toy: Cloud, tmp_path: Path) -> None:
    before = (list(sys.path), Path.cwd(), list(sys.argv), pulumi.get_stack(), pulumi.get_project())
    program = """
        import settings

        class Package(pulumi.runtime.rpc.ResourcePackage):
            version = lambda self: None
            construct_provider = lambda self, name, typ, urn: None

        pulumi.runtime.register_resource_package("toy", Package())
        pulumi.export("value", settings.VALUE)
    """
    folder = project(program, settings__py="VALUE = 1")
    assert preview(folder, "one", {}, clouds=[toy]).outputs == {"value": 1}
    other = tmp_path / "other"
    folder.rename(other)
    (other / "settings.py").write_text("VALUE = 22")
    assert preview(other, "two", {}, clouds=[toy]).outputs == {"value": 22}
    assert "settings" not in sys.modules
    assert (list(sys.path), Path.cwd(), list(sys.argv), pulumi.get_stack(), pulumi.get_project()) == before


def test_a_preview_inside_an_event_loop_is_refused(project: WriteProject, toy: Cloud) -> None:
    async def inside() -> None:
        preview(project(""), "dev", {}, clouds=[toy])

    with pytest.raises(RuntimeError, match="its own event loop"):
        asyncio.run(inside())


def test_an_asynchronous_program_works(project: WriteProject, toy: Cloud) -> None:
    folder = project("""
        import asyncio

        async def main():
            await asyncio.sleep(0)
            box = Box("late", size=3)
            return {"size": box.name}

        pulumi.run(main)
    """)
    result = preview(folder, "dev", {}, clouds=[toy])
    assert "late" in by_name(result)
    assert str(result.outputs["size"]).startswith("late-")


def test_main_may_point_to_a_folder(project: WriteProject, toy: Cloud) -> None:
    folder = project("")
    (folder / "Pulumi.yaml").write_text("name: demo\nruntime: {name: python}\nmain: src\n")
    (folder / "src").mkdir()
    (folder / "src" / "__main__.py").write_text("import pulumi\npulumi.export('from', 'src')")
    assert preview(folder, "dev", {}, clouds=[toy]).outputs == {"from": "src"}
