"""Bodies of requests and answers; field names, order and defaults are the product's."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Item = TypeVar("Item")
Range = Literal["24h", "3d", "7d", "14d", "1m", "3m", "6m", "1y"]
Bucket = Literal["hour", "day", "week", "month"]


class Body(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Ok(BaseModel):
    ok: bool = True


class Page(BaseModel, Generic[Item]):
    items: list[Item]
    total: int = Field(ge=0)
    limit: int = Field(ge=1)
    offset: int = Field(ge=0)


class UserRead(Body):
    clerk_user_id: str
    email: str | None = None
    name: str | None = None
    preferred_name: str | None = None
    pronouns: str | None = None
    timezone: str | None = None
    notes: str | None = None
    context: str | None = None
    id: UUID
    is_super_admin: bool


class OrganizationUser(Body):
    id: UUID
    email: str | None = None
    name: str | None = None
    preferred_name: str | None = None


class MemberRead(Body):
    id: UUID
    organization_id: UUID
    user_id: UUID
    role: str
    all_boards_read: bool
    all_boards_write: bool
    created_at: datetime
    updated_at: datetime
    user: OrganizationUser | None = None
    board_access: list[dict[str, Any]] = []


class AgentRead(Body):
    board_id: UUID | None = None
    name: str
    status: str = "provisioning"
    heartbeat_config: dict[str, Any] | None = None
    identity_profile: dict[str, Any] | None = None
    identity_template: str | None = None
    soul_template: str | None = None
    id: UUID
    gateway_id: UUID
    is_board_lead: bool = False
    is_gateway_main: bool = False
    openclaw_session_id: str | None = None
    last_seen_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


class BoardGroupRead(Body):
    name: str
    slug: str
    description: str | None = None
    id: UUID
    organization_id: UUID
    created_at: datetime
    updated_at: datetime


class _GoalBoard(Body):
    name: str
    slug: str
    description: str
    gateway_id: UUID | None = None
    board_group_id: UUID | None = None
    board_type: str = "goal"
    objective: str | None = None
    success_metrics: dict[str, Any] | None = None
    target_date: datetime | None = None
    goal_confirmed: bool = False
    goal_source: str | None = None
    require_approval_for_done: bool = True
    require_review_before_done: bool = False
    comment_required_for_review: bool = False
    block_status_changes_with_pending_approval: bool = False
    only_lead_can_change_status: bool = False
    max_agents: int = Field(default=1, ge=0)


def _described(value: str | None) -> str:
    if not (value or "").strip():
        raise ValueError("description is required")
    return (value or "").strip()


class BoardCreate(_GoalBoard):
    @model_validator(mode="after")
    def _required(self) -> Self:
        self.description = _described(self.description)
        if self.gateway_id is None:
            raise ValueError("gateway_id is required")
        if (
            self.board_type == "goal"
            and self.goal_confirmed
            and not (self.objective and self.success_metrics)
        ):
            raise ValueError("Confirmed goal boards require objective and success_metrics")
        return self


class BoardUpdate(Body):
    name: str | None = None
    slug: str | None = None
    description: str | None = None
    gateway_id: UUID | None = None
    board_group_id: UUID | None = None
    board_type: str | None = None
    objective: str | None = None
    success_metrics: dict[str, Any] | None = None
    target_date: datetime | None = None
    goal_confirmed: bool | None = None
    goal_source: str | None = None
    require_approval_for_done: bool | None = None
    require_review_before_done: bool | None = None
    comment_required_for_review: bool | None = None
    block_status_changes_with_pending_approval: bool | None = None
    only_lead_can_change_status: bool | None = None
    max_agents: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _kept(self) -> Self:
        if "gateway_id" in self.model_fields_set and self.gateway_id is None:
            raise ValueError("gateway_id is required")
        if "description" in self.model_fields_set:
            self.description = _described(self.description)
        return self


class BoardRead(_GoalBoard):
    id: UUID
    organization_id: UUID
    created_at: datetime
    updated_at: datetime


class _Token(Body):
    token: str | None = None

    @field_validator("token", mode="before")
    @classmethod
    def _blank_is_none(cls, value: object) -> object:
        return (value.strip() or None) if isinstance(value, str) else value


class GatewayCreate(_Token):
    name: str
    url: str
    workspace_root: str
    allow_insecure_tls: bool = False
    disable_device_pairing: bool = False


class GatewayUpdate(_Token):
    name: str | None = None
    url: str | None = None
    workspace_root: str | None = None
    allow_insecure_tls: bool | None = None
    disable_device_pairing: bool | None = None


class GatewayRead(Body):
    name: str
    url: str
    workspace_root: str
    allow_insecure_tls: bool = False
    disable_device_pairing: bool = False
    id: UUID
    organization_id: UUID
    # In clear text, as in the product.
    token: str | None = None
    created_at: datetime
    updated_at: datetime


class GatewayStatus(Body):
    connected: bool
    gateway_url: str
    sessions_count: int | None = None
    sessions: list[Any] | None = None
    main_session: Any | None = None
    main_session_error: str | None = None
    error: str | None = None


class GatewaySessions(Body):
    sessions: list[Any]
    main_session: Any | None = None


class GatewaySession(Body):
    session: Any


class GatewayHistory(Body):
    history: list[Any]


class ActivityRead(Body):
    id: UUID
    event_type: str
    message: str | None
    agent_id: UUID | None
    task_id: UUID | None
    board_id: UUID | None = None
    route_name: str | None = None
    route_params: dict[str, str] | None = None
    created_at: datetime


class Kpis(BaseModel):
    active_agents: int
    tasks_in_progress: int
    inbox_tasks: int
    in_progress_tasks: int
    review_tasks: int
    done_tasks: int
    error_rate_pct: float
    median_cycle_time_hours_7d: float | None


class Point(BaseModel):
    period: datetime
    value: float


class WipPoint(BaseModel):
    period: datetime
    inbox: int
    in_progress: int
    review: int
    done: int


class Series(BaseModel):
    range: Range
    bucket: Bucket
    points: list[Point]


class WipSeries(BaseModel):
    range: Range
    bucket: Bucket
    points: list[WipPoint]


class SeriesPair(BaseModel):
    primary: Series
    comparison: Series


class WipPair(BaseModel):
    primary: WipSeries
    comparison: WipSeries


class PendingApproval(BaseModel):
    approval_id: UUID
    board_id: UUID
    board_name: str
    action_type: str
    confidence: float
    created_at: datetime
    task_title: str | None = None


class PendingApprovals(BaseModel):
    total: int
    items: list[PendingApproval]


class Dashboard(BaseModel):
    range: Range
    generated_at: datetime
    kpis: Kpis
    throughput: SeriesPair
    cycle_time: SeriesPair
    error_rate: SeriesPair
    wip: WipPair
    pending_approvals: PendingApprovals


class WebhookTaken(BaseModel):
    ok: bool = True
    board_id: UUID
    webhook_id: UUID
    payload_id: UUID
