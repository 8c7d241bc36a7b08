// Both values are fixed when the frontend is built.
export const AUTH_MODE = process.env.NEXT_PUBLIC_AUTH_MODE ?? "";
const BUILT_URL = (process.env.NEXT_PUBLIC_API_URL ?? "").trim();

/** The API's address: the built one, or with `auto` the browser's own host at port 8000. */
export function apiUrl(): string {
  if (BUILT_URL && BUILT_URL.toLowerCase() !== "auto") {
    return BUILT_URL.replace(/\/+$/, "");
  }
  const scheme = window.location.protocol === "https:" ? "https" : "http";
  return `${scheme}://${window.location.hostname}:8000`;
}

export class ApiError extends Error {}

export async function call<T>(path: string, token?: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`${apiUrl()}${path}`, {
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    });
  } catch {
    throw new ApiError(
      `No answer from ${apiUrl()}. Is the backend up, and is this page's origin in CORS_ORIGINS?`,
    );
  }
  if (response.status === 401) {
    throw new ApiError("The backend refused this token.");
  }
  if (!response.ok) {
    throw new ApiError(`${path} answered ${response.status}.`);
  }
  return (await response.json()) as T;
}
