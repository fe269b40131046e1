import type { RevisionView } from "./revision-view.ts";

/**
 * `hello-00001  1 ready, 2 starting · serve · 3 held, 1 in flight`, and the trouble if there is any.
 */
export function statusLine(view: RevisionView): string {
  const parts = [
    podsText(view.pods),
    view.mode ?? "no mode yet",
    loadText(view),
    ...(view.trouble === undefined ? [] : [view.trouble]),
  ];
  return `${view.name}  ${parts.join(" · ")}`;
}

/**
 * One line per change: tells which views are news. Counts of requests move with every request, so of them only "some"
 * or "none" waiting is a change of its own; a line that is due shows them as they are.
 */
export class StatusLog {
  readonly #said = new Map<string, string>();

  /** The line to print, or `undefined` if nothing worth one has changed since the last of this revision. */
  next(view: RevisionView): string | undefined {
    const news = statusLine({ ...view, held: Math.min(view.held, 1), inFlight: 0 });
    if (this.#said.get(view.name) === news) return undefined;
    this.#said.set(view.name, news);
    return statusLine(view);
  }

  /** The line for a revision that is gone, or `undefined` if it was never spoken of. */
  gone(name: string): string | undefined {
    return this.#said.delete(name) ? `${name}  gone` : undefined;
  }
}

function podsText(pods: RevisionView["pods"]): string {
  const kinds = [
    [pods.ready, "ready"],
    [pods.starting, "starting"],
    [pods.stopping, "stopping"],
  ] as const;
  const some = kinds.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return some.length === 0 ? "0 pods" : some.join(", ");
}

function loadText({ held, inFlight }: RevisionView): string {
  return inFlight === 0 ? `${held} held` : `${held} held, ${inFlight} in flight`;
}
