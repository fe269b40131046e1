import { metricsText, PlainServer } from "@rouse/shared";

export interface AdminAnswers {
  /** Whether the process does what it is there for. */
  readonly isReady: () => boolean;
  /** Prometheus text. */
  readonly metrics: () => string;
}

/** `/healthz`: the process lives; `/readyz`: it works; `/metrics`. Anything else: 404. Rejects when it cannot listen. */
export function startAdminServer(
  answers: AdminAnswers,
  at: { readonly ip: string | undefined; readonly port: number },
): Promise<PlainServer> {
  return PlainServer.start(at, (path) => {
    switch (path) {
      case "/metrics":
        return metricsText(answers.metrics());
      case "/healthz":
        return { status: 200, body: "ok" };
      case "/readyz":
        return { status: answers.isReady() ? 200 : 503 };
      default:
        return { status: 404 };
    }
  });
}
