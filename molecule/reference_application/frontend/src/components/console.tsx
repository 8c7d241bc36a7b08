"use client";

import { type FormEvent, useEffect, useState } from "react";

import { apiUrl, AUTH_MODE, call } from "@/lib/api";
import { follow } from "@/lib/stream";

type Page<T> = { items: T[]; total: number };
type Agent = { id: string; name: string; status: string; last_seen_at: string | null };
type Point = { period: string; value: number };
type Dashboard = {
  range: string;
  kpis: Record<string, number | null>;
  throughput: { primary: { points: Point[] } };
};
type Board = { id: string; name: string };
type Data = { role: string; boards: Page<Board>; agents: Page<Agent>; dashboard: Dashboard };

const KPIS: [string, string][] = [
  ["active_agents", "Active agents"],
  ["tasks_in_progress", "Tasks in progress"],
  ["error_rate_pct", "Error rate, %"],
  ["median_cycle_time_hours_7d", "Median cycle time, h"],
];

async function load(token: string): Promise<Data> {
  const [member, boards, agents, dashboard] = await Promise.all([
    call<{ role: string }>("/api/v1/organizations/me/member", token),
    call<Page<Board>>("/api/v1/boards", token),
    call<Page<Agent>>("/api/v1/agents", token),
    // Both names of the parameter: the guide's and the running product's.
    call<Dashboard>("/api/v1/metrics/dashboard?range_key=7d&range=7d", token),
  ]);
  return { role: member.role, boards, agents, dashboard };
}

/** The agents with one of them as it is now. */
function withAgent(data: Data, now: Agent): Data {
  const items = data.agents.items.map((agent) => (agent.id === now.id ? now : agent));
  return { ...data, agents: { ...data.agents, items } };
}

function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

export function Console() {
  const [address, setAddress] = useState("");
  const [alive, setAlive] = useState<boolean | null>(null);
  const [token, setToken] = useState("");
  const [shownTo, setShownTo] = useState("");
  const [data, setData] = useState<Data | null>(null);
  const [problem, setProblem] = useState("");

  useEffect(() => {
    setAddress(apiUrl());
    call<{ ok: boolean }>("/healthz").then(
      (answer) => setAlive(answer.ok),
      () => setAlive(false),
    );
  }, []);

  useEffect(() => {
    if (!shownTo) return;
    const stop = new AbortController();
    // What changes meanwhile comes by itself; where the stream ends, the page stays as it is.
    follow("/api/v1/agents/stream", shownTo, stop.signal, (event, data) => {
      const { agent } = JSON.parse(data) as { agent: Agent };
      if (event === "agent") setData((before) => before && withAgent(before, agent));
    }).catch(() => undefined);
    return () => stop.abort();
  }, [shownTo]);

  async function show(event: FormEvent) {
    event.preventDefault();
    setProblem("");
    try {
      setData(await load(token.trim()));
      setShownTo(token.trim());
    } catch (error) {
      setData(null);
      setShownTo("");
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  const points = data?.dashboard.throughput.primary.points ?? [];
  const highest = Math.max(1, ...points.map((point) => point.value));

  return (
    <>
      <section className="card status">
        <div>
          <h2>Backend</h2>
          <code>{address || "…"}</code>
        </div>
        <span className={alive === null ? "pill" : alive ? "pill good" : "pill bad"} role="status">
          {alive === null ? "asking" : alive ? "answers" : "no answer"}
        </span>
      </section>

      <form className="card" onSubmit={show}>
        <label htmlFor="token">Access token{AUTH_MODE ? ` (${AUTH_MODE} mode)` : ""}</label>
        <div className="row">
          <input
            id="token"
            type="password"
            autoComplete="off"
            value={token}
            onChange={(event) => setToken(event.target.value)}
            placeholder="LOCAL_AUTH_TOKEN"
          />
          <button type="submit" disabled={!token.trim()}>
            Show
          </button>
        </div>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
      </form>

      {data && (
        <>
          <section className="kpis">
            {KPIS.map(([key, label]) => (
              <div className="card kpi" key={key}>
                <strong>{figure(data.dashboard.kpis[key])}</strong>
                <span>{label}</span>
              </div>
            ))}
          </section>
          <section className="card">
            <h2>Tasks done, {data.dashboard.range}</h2>
            <div className="bars">
              {points.map((point) => (
                <div key={point.period} title={`${point.period.slice(0, 10)}: ${point.value}`}>
                  <i style={{ height: `${(100 * point.value) / highest}%` }} />
                  <span>{point.period.slice(8, 10)}</span>
                </div>
              ))}
            </div>
          </section>
          <section className="card">
            <h2>
              Boards <small>{data.boards.total}</small>
            </h2>
            <ul id="boards">
              {data.boards.items.map((board) => (
                <li key={board.id}>{board.name}</li>
              ))}
            </ul>
          </section>
          <section className="card">
            <h2>
              Agents <small>{data.agents.total}, seen as {data.role}</small>
            </h2>
            <table id="agents">
              <tbody>
                {data.agents.items.map((agent) => (
                  <tr key={agent.id}>
                    <td>{agent.name}</td>
                    <td>{agent.status}</td>
                    <td>{agent.last_seen_at ? `${agent.last_seen_at.slice(0, 16).replace("T", " ")} UTC` : "never seen"}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        </>
      )}
    </>
  );
}
