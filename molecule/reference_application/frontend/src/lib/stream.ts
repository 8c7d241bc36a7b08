import { apiUrl } from "@/lib/api";

/** Server-sent events by fetch, as EventSource cannot send a token. Ends with the signal, or when the server ends it. */
export async function follow(
  path: string,
  token: string,
  signal: AbortSignal,
  handle: (event: string, data: string) => void,
): Promise<void> {
  const response = await fetch(`${apiUrl()}${path}`, {
    headers: { Authorization: `Bearer ${token}`, Accept: "text/event-stream" },
    signal,
  });
  if (!response.ok || !response.body) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const messages = (rest + value).split("\n\n");
    rest = messages.pop() ?? "";
    for (const message of messages) {
      const fields = new Map(
        message.split("\n").map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]),
      );
      const data = fields.get("data");
      if (data !== undefined) handle(fields.get("event") ?? "message", data);
    }
  }
}
