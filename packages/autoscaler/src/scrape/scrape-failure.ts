/** Why a question for load had no answer. */
export type ScrapeFailureKind =
  /** 502 or 503: a mesh that does not let us speak to single pods answers so. S-43. */
  | "mesh"
  /** A pod that has been heard already: a Service leads to random ones. S-49. */
  | "no-new-stat"
  | "other";

/** What asking a pod or a Service failed with. */
export class ScrapeFailure extends Error {
  override readonly name = "ScrapeFailure";
  readonly kind: ScrapeFailureKind;

  constructor(kind: ScrapeFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Any error as a failure; only what says so itself may be a mesh's doing. */
export function scrapeFailure(error: unknown): ScrapeFailure {
  if (error instanceof ScrapeFailure) return error;
  return new ScrapeFailure("other", error instanceof Error ? error.message : String(error), { cause: error });
}
