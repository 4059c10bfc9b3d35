"""The form of a project: new, edited or copied. It keeps what was typed and shows each problem beside its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from contracts.dbt_api import Warehouse
from contracts.executors import EXECUTORS, WorkerPod
from contracts.operators import OperatorName
from contracts.run_conf import DbtCommand
from services import schedules
from services.errors import InvalidInput
from services.operators import OPERATORS, operator
from services.projects import ProjectDraft, uploads
from services.ui.operator_cards import operator_cards
from services.ui.parameter_fields import parameter_fields
from services.ui.preset_bar import PresetFields
from services.ui.project.project_settings import WAREHOUSE_WORDS
from services.ui.words import plain

_KINDS = {"template": "New from a template", "folder": "A folder", "git": "A git repository", "upload": "An upload"}
_ARCHIVES = ["zip", "gz", "tgz"]
_SCHEDULED: list[DbtCommand] = [command for command in DbtCommand if command is not DbtCommand.RUN_OPERATION]


@dataclass
class ProjectForm:
    """One form. `key` separates the typed values of different forms; `is_new` tells whether the name may change."""

    initial: ProjectDraft
    key: str
    is_new: bool
    archive: bytes | None = None
    """The archive that was chosen now, for an upload; to be kept when the form is saved."""
    _slots: dict[str, DeltaGenerator] = field(default_factory=dict)

    def draw(self) -> ProjectDraft:
        """Draw all fields and return what they hold, unchecked."""
        values: dict[str, Any] = {}
        with _section("Project", "Who it is for and what it is called."):
            values |= self._identity()
        with _section("Source", "Where the dbt project comes from."):
            values["source"] = self._source()
        with _section("Operator", "What runs dbt when Airflow says so."):
            values |= self._operator()
        with _section("Schedule", "When Airflow runs it by itself, and what it runs then."):
            values |= self._schedule()
            values |= self._command()
        with _section("Airflow", "How Airflow treats its runs."):
            values |= self._airflow()
        return ProjectDraft(**values)

    def show(self, problems: Mapping[str, str]) -> None:
        """Write each problem below its field, and those that have none at the end."""
        for name, message in problems.items():
            text = f":red[:material/error: {plain(message)}]"
            slot = self._slots.get(name) or self._slots.get(".".join(name.split(".")[:2]))
            if slot is not None:
                slot.markdown(text)
            else:
                st.markdown(text)

    def _identity(self) -> dict[str, Any]:
        name, owner = st.columns(2)
        with name, self._field("name"):
            told = "Lower-case letters, digits and underscores. It names the DAG too and cannot be changed later."
            value = self._text("Name", "name", self.initial.name, help=told, off=not self.is_new, hint="harbour_books")
        with owner, self._field("owner"):
            owned = self._text("Owner", "owner", self.initial.owner, help="The person or team that answers for it.")
        with self._field("description"):
            described = st.text_area(
                "Description", self.initial.description, key=self._key("description"), height=80, max_chars=2000
            )
        return {"name": value, "owner": owned, "description": described}

    def _source(self) -> dict[str, Any]:
        saved = self.initial.source
        with self._field("source.kind"):
            kind = st.segmented_control(
                "Kind of source",
                list(_KINDS),
                default=saved.get("kind", "template"),
                format_func=lambda each: _KINDS[each],
                required=True,
                key=self._key("kind"),
                label_visibility="collapsed",
            )
        chosen = str(kind)
        if chosen == "template":
            return {"kind": chosen, "warehouse": self._warehouse(saved)}
        if chosen == "folder":
            with self._field("source.path"):
                told = "On the machine of the dbt API, which uses the folder where it lies and never changes it."
                path = self._text("Folder", "path", saved.get("path", ""), help=told, hint="/srv/dbt/harbour_books")
            return {"kind": chosen, "path": path}
        return {"kind": chosen, **(self._upload(saved) if chosen == "upload" else self._git(saved))}

    def _upload(self, saved: Mapping[str, Any]) -> dict[str, Any]:
        with self._field("source.sha256"):
            told = "A zip or tar.gz with dbt_project.yml at its top, or in a folder at its top. Plain files only."
            chosen = st.file_uploader(
                "Archive", _ARCHIVES, key=self._key("archive"), help=told, max_upload_size=uploads.MEGABYTES
            )
            if chosen is None and saved.get("sha256"):
                st.caption(f"Now: {plain(saved['filename'])}. Another archive replaces all its files.")
        if chosen is None:
            return {name: saved.get(name, "") for name in ("sha256", "filename")}
        self.archive = chosen.getvalue()
        return uploads.source_of(self.archive, chosen.name).model_dump(exclude={"kind"})

    def _warehouse(self, saved: Mapping[str, Any]) -> str:
        with self._field("source.warehouse"):
            options = list(WAREHOUSE_WORDS)
            warehouse = st.selectbox(
                "Warehouse",
                options,
                index=options.index(Warehouse(saved.get("warehouse", Warehouse.DUCKDB))),
                format_func=lambda each: WAREHOUSE_WORDS[each],
                key=self._key("warehouse"),
                help="The profiles.yml is written for it; its secrets are environment variables of the dbt API.",
            )
        if warehouse is not Warehouse.DUCKDB:
            st.caption("The dbt API needs this warehouse's adapter and its environment variables; parsing will tell.")
        return str(warehouse)

    def _git(self, saved: Mapping[str, Any]) -> dict[str, Any]:
        with self._field("source.url"):
            told = "https, ssh or file. Without a password: the dbt API's user needs a credential helper or an ssh key."
            url = self._text(
                "Repository", "url", saved.get("url", ""), help=told, hint="https://git.example.com/acme/dbt.git"
            )
        left, right = st.columns(2)
        with left, self._field("source.branch"):
            branch = self._text("Branch", "branch", saved.get("branch", "main"))
        with right, self._field("source.subfolder"):
            told = "Where dbt_project.yml lies within the repository; empty when at the top."
            subfolder = self._text("Subfolder", "subfolder", saved.get("subfolder", ""), help=told)
        return {"url": url, "branch": branch, "subfolder": subfolder}

    def _operator(self) -> dict[str, Any]:
        options = list(OPERATORS)
        with self._field("operator"):
            chosen = st.segmented_control(
                "Operator",
                options,
                default=self.initial.operator,
                format_func=lambda each: operator(each).label,
                required=True,
                key=self._key("operator"),
                label_visibility="collapsed",
            )
        name = OperatorName(str(chosen))
        operator_cards(name)
        return {"operator": name, "operator_parameters": self._parameters(name)}

    def _parameters(self, name: OperatorName) -> dict[str, Any]:
        return PresetFields(name, operator(name).parameters, self._key(f"parameter_{name}")).draw(
            self.initial.operator_parameters if name is self.initial.operator else {},
            place=lambda parameter: self._field(f"operator_parameters.{parameter}"),
        )

    def _schedule(self) -> dict[str, Any]:
        left, right = st.columns([2, 3], gap="large")
        with left, self._field("schedule"):
            told = "Cron in UTC, five fields, or a preset like @daily. Empty: the project runs only when launched."
            cron = self._text(
                "Schedule", "schedule", self.initial.schedule or "", help=told, hint="0 6 * * 1-5", live=True
            )
        with right:
            _schedule_preview(cron)
        return {"schedule": cron or None}

    def _command(self) -> dict[str, Any]:
        left, middle, right = st.columns(3)
        with left, self._field("command"):
            command = st.selectbox(
                "dbt command",
                _SCHEDULED,
                index=_SCHEDULED.index(self.initial.command),
                key=self._key("command"),
                help="What a scheduled run executes, and what the launch page starts with.",
            )
        with middle, self._field("target"):
            told = "An output of profiles.yml. Empty: the profile's own default."
            target = self._text("Target", "target", self.initial.target or "", help=told, hint="profile's default")
        with right, self._field("threads"):
            threads = self._number("Threads", "threads", self.initial.threads, help="Empty: the profile's own number.")
        return {"command": command, "target": target or None, "threads": threads}

    def _airflow(self) -> dict[str, Any]:
        pool, queue, retries, delay = st.columns(4)
        with pool, self._field("pool"):
            told = "Limits how many tasks of all its projects run at a time."
            pooled = self._text("Pool", "pool", self.initial.pool, help=told)
        with queue, self._field("queue"):
            told = "For executors with queues (Celery). Empty: the executor's default."
            queued = self._text("Queue", "queue", self.initial.queue or "", help=told, hint="default")
        with retries, self._field("retries"):
            told = "How often Airflow repeats a failed run by itself."
            count = self._number("Retries", "retries", self.initial.retries, help=told)
        with delay, self._field("retry_delay_seconds"):
            waited = self._number("Retry delay (seconds)", "retry_delay_seconds", self.initial.retry_delay_seconds)
        values = {"pool": pooled, "queue": queued or None, "retries": count, "retry_delay_seconds": waited}
        return {**values, **self._executor()}

    def _executor(self) -> dict[str, Any]:
        is_used = bool(self.initial.executor or self.initial.worker_pod)
        with st.expander("Executor and worker pod", icon=":material/tune:", expanded=is_used):
            with self._field("executor"):
                executor = st.selectbox(
                    "Executor",
                    list(dict.fromkeys([*filter(None, [self.initial.executor]), *EXECUTORS])),
                    index=0 if self.initial.executor else None,
                    accept_new_options=True,
                    key=self._key("executor"),
                    placeholder="Airflow's default",
                    help="Where Airflow has several: which runs this project's task. "
                    "The page Capacity shows what it has.",
                )
            st.caption("The KubernetesExecutor makes a worker pod for each task. Empty: as its template says.")
            worker = parameter_fields(
                WorkerPod,
                self.initial.worker_pod,
                key=lambda name: self._key(f"worker_{name}"),
                place=lambda name: self._field(f"worker_pod.{name}"),
            )
        return {"executor": executor or None, "worker_pod": worker}

    def _field(self, name: str) -> DeltaGenerator:
        """A container for one field, with a place for its problem below."""
        outer = st.container(gap="xxsmall")
        inner = outer.container()
        self._slots[name] = outer.empty()
        return inner

    def _text(
        self,
        label: str,
        name: str,
        value: str,
        *,
        help: str = "",
        hint: str = "",
        off: bool = False,
        live: bool = False,
    ) -> str:
        typed = st.text_input(
            label,
            value,
            key=self._key(name),
            help=help or None,
            placeholder=hint or None,
            disabled=off,
            live="400ms" if live else False,
        )
        return typed or ""

    def _number(self, label: str, name: str, value: int | None, *, help: str = "") -> int | None:
        typed = st.number_input(
            label, value=value, step=1, key=self._key(name), help=help or None, placeholder="default"
        )
        return None if typed is None else int(typed)

    def _key(self, name: str) -> str:
        return f"project_form_{self.key}_{name}"


def _section(title: str, told: str) -> DeltaGenerator:
    box = st.container(border=True)
    heading = box.container(gap=None)
    heading.header(title, anchor=False)
    heading.caption(told)
    return box


def _schedule_preview(cron: str) -> None:
    try:
        schedule = schedules.check(cron)
    except InvalidInput:
        st.caption("The next runs appear here when the schedule is right.")
        return
    st.markdown(f"**{plain(schedules.in_words(schedule))}**" + (" UTC" if schedule else ""))
    runs = schedules.next_runs(schedule)
    if runs:
        st.caption("Next runs: " + " · ".join(f"{run:%a %d %b %Y, %H:%M}" for run in runs))
    elif schedule is None:
        st.caption("Airflow starts no run by itself. You can launch it at any time.")
