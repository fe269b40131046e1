import type { Endpoints, ServerlessService } from "@rouse/shared";

export type SksMode = ServerlessService["spec"]["mode"];

/** Ready addresses of the two sources of a public endpoints object. K-31. */
export interface ReadyCounts {
  readonly activators: number;
  readonly pods: number;
}

/**
 * Who really answers: what the spec asks for, as long as somebody is there. Without pods the activators hold the
 * requests; without activators the pods answer, even none of them, so that nothing points at nobody. K-32, K-33.
 */
export function effectiveMode(wanted: SksMode, ready: ReadyCounts): SksMode {
  if (ready.activators === 0) return "Serve";
  return ready.pods === 0 ? "Proxy" : wanted;
}

/** Entries of the ready lists of all subsets; an address listed twice counts twice. K-31. */
export function readyCount(endpoints: Pick<Endpoints, "subsets">): number {
  return (endpoints.subsets ?? []).reduce((sum, subset) => sum + (subset.addresses?.length ?? 0), 0);
}
