"""The house holds: what import-linter cannot see."""

import ast
from pathlib import Path

import pytest
from django.apps import apps

from tongzhou.config.wiring import periodic
from tongzhou.kit import outbox, states

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "tongzhou"
ROOMS = ["kit", "people", "ledger", "compliance", "suppliers", "plans", "catalog", "sharing", "payments", "orders", "fulfilment",
         "aftersale", "rewards", "payouts", "risk"]  # fmt: skip
FILES = [p for p in SRC.rglob("*.py") if "migrations" not in p.parts]


def test_files_and_functions_stay_short():
    long = [
        f"{p.relative_to(ROOT)}: {n}"
        for p in FILES
        if (n := len(p.read_text().splitlines())) > (600 if "tests" in p.parts else 400)
    ]
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno > 70:
                long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not long


@pytest.mark.parametrize("name", ["values", "events", "rules"])
def test_values_events_and_rules_know_no_django(name):
    for room in ROOMS:
        for path in [SRC / room / f"{name}.py", *(SRC / room / name).glob("*.py")]:
            if path.exists():
                assert "django" not in path.read_text().replace("django_tasks", ""), path


def test_no_float_near_money():
    assert not [p for p in FILES if "float(" in p.read_text()]


def test_no_signals_no_save_overrides_no_apps_get_model():
    for path in FILES:
        text = path.read_text()
        assert "django.dispatch" not in text and "post_save" not in text, path
        assert "def save(self" not in text, path
        assert "apps.get_model" not in text, path


def test_every_model_says_where_it_lives_and_keys_point_down():
    known = {"member", "book", "sku", "reference", "local", "claim"}
    for model in apps.get_models():
        if not model.__module__.startswith("tongzhou."):
            continue
        assert getattr(model, "placement", None) in known, model
        room = model._meta.app_label
        for field in model._meta.get_fields():
            if field.is_relation and getattr(field, "many_to_one", False) and field.concrete:
                assert field.related_model._meta.app_label == room, (model, field.name)
                assert field.remote_field.related_name == "+", (model, field.name)


def test_every_status_is_reachable():
    from tongzhou.aftersale import models as aftersale
    from tongzhou.fulfilment import models as fulfilment
    from tongzhou.orders import models as orders
    from tongzhou.payments import models as payments
    from tongzhou.payouts import models as payouts
    from tongzhou.plans import models as plans
    from tongzhou.risk import models as risk

    for module, start in ((aftersale, "REQUESTED"), (fulfilment, "SHIPPED"), (orders, "PLACED"), (payments, "CREATED"),
                          (payouts, "REQUESTED"), (plans, "DRAFT"), (risk, "DELAYED")):  # fmt: skip
        assert states.reachable(module.MOVES, module.Status[start]) == set(module.Status), module
    assert states.reachable(payments.REFUND_MOVES, payments.RefundStatus.REQUESTED) == set(payments.RefundStatus)


def test_every_fact_has_its_handlers_and_every_job_a_name():
    assert {fact.__name__ for fact in outbox.wiring()} >= {
        "OrderPaid",
        "LinesDelivered",
        "LinesRefunded",
        "RefundRequested",
        "PayoutReleased",
    }
    names = [job.name for job in periodic()]
    assert len(names) == len(set(names))


def test_views_stay_thin():
    for path in [*SRC.glob("storefront/views/*.py"), *SRC.glob("console/views/*.py")]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 45, (path.name, node.name)


def test_lock_files_name_no_registry():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        assert "://" not in text and "index-url" not in text
        assert "--hash=sha256:" in text


def test_nothing_is_saved_by_its_instance():
    """A conditional UPDATE says what it changes and what must be so; ``instance.save()`` writes back what was read before."""
    pictures = {"catalog/commands/pictures.py", "sharing/poster.py"}  # Pillow's and segno's own save
    for path in FILES:
        if "tests" in path.parts or str(path.relative_to(SRC)) in pictures:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr != "save", f"{path}:{node.lineno}"


# What of a room others may call besides commands, queries, values, events and pure rules: each a small face of its own.
FACES = {
    "commands", "queries", "values", "events", "rules", "handlers", "tasks", "proofs",
    "chart", "tenders", "export",  # ledger
    "divisions", "imports", "exports",  # people
    "live", "profiles", "vocabulary",  # compliance
    "diff", "document",  # plans
    "poster",  # sharing
    "providers",  # payments
    "history",  # orders
    "simulation", "monitors", "explaining", "deciding",  # rewards
    "texts",  # risk
    "batches", "policy", "rails", "statements", "tax",  # payouts
    "records",  # sandbox
    "wiring", "safety", "seed", "traffic", "passing", "metrics", "tokens", "templatetags",  # config, demo, api, design
}  # fmt: skip


def _imports(path):
    """(room, part) of every import of another room that runs; imports for types alone do not count."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only or not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        _root, *parts = node.module.split(".")
        if _root == "tongzhou" and parts:
            yield from ((parts[0], part) for part in (parts[1:2] or [a.name for a in node.names]))


def _room_files():
    for path in FILES:
        parts = path.relative_to(SRC).parts
        if len(parts) > 1 and "tests" not in parts:
            yield parts[0], path


def test_doors_open_no_models_and_rooms_show_only_their_faces():
    seen = {
        (str(path.relative_to(SRC)), other, part)
        for room, path in _room_files()
        for other, part in _imports(path)
        if other not in (room, "kit") and part not in FACES
    }
    assert not seen, "a room's tables and inner parts are its own: ask its queries, or name a face above"
    doors = {"storefront", "console", "api", "cli"}
    assert not [
        path for room, path in _room_files() if room in doors and any(part == "models" for _o, part in _imports(path))
    ]


def _verbs(room):
    """The public functions of a room's commands."""
    face = SRC / room / "commands.py"
    package = SRC / room / "commands"
    for path in [face] if face.exists() else sorted(package.glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield path, node.name


def test_every_command_is_tested():
    """By name in a test, or by a room whose own verbs are. A verb that only a door calls must be named."""
    tests = "\n".join(p.read_text() for p in [*(ROOT / "tests").rglob("*.py"), *SRC.rglob("tests/*.py")])
    doors = {"storefront", "console", "api", "cli", "demo", "config"}
    rooms = {path: path.read_text() for room, path in _room_files() if room not in doors}
    untold = [
        f"{room}.{name}"
        for room in ROOMS[1:]
        for own, name in _verbs(room)
        if f"{name}(" not in tests
        and f".{name}" not in tests
        and not any(f"{name}(" in text or f".{name}" in text for path, text in rooms.items() if path != own)
        and f"{name}(" not in rooms[own].replace(f"def {name}(", "")
    ]
    assert not untold, ", ".join(untold)
