import type { ClientRequest } from "node:http";
import type { Clock } from "../../clock/clock.ts";
import type { Random } from "../../random.ts";
import { isKubeError, KubeError } from "../client.ts";
import { HttpWatch } from "./http-watch.ts";

/** Objects come as fast as they are read; a list that takes longer has stopped. */
const LIST_MS_MAX = 60_000;
/** Says that everything there is has been sent. P-117 */
const END_ANNOTATION = "k8s.io/initial-events-end";

export interface StreamedList {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
}

export interface StreamingListDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly open: (further: Readonly<Record<string, string>>) => ClientRequest;
}

/**
 * All objects as a stream, each parsed as it comes: neither side ever holds the whole list as text. `undefined` from a
 * server that does not know streams.
 * @throws KubeError
 */
export function streamList(deps: StreamingListDeps): Promise<StreamedList | undefined> {
  return new Promise((resolve, reject) => {
    const items: unknown[] = [];
    const deadline = deps.clock.after(LIST_MS_MAX, () => {
      watch[Symbol.dispose]();
      // Objects and no end: it took this for a watch like any other.
      if (items.length > 0) resolve(undefined);
      else reject(new KubeError("Timeout", `the API did not list within ${LIST_MS_MAX / 1_000} s`));
    });
    const open = (further: Readonly<Record<string, string>>): ClientRequest => {
      items.length = 0; // one that was cut is begun anew
      return deps.open({ ...further, sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" });
    };
    const watch: HttpWatch = new HttpWatch({ ...deps, open }, "", {
      event: ({ type, object }) => {
        if (type === "ADDED") items.push(object);
        const resourceVersion = type === "BOOKMARK" ? endOf(object) : undefined;
        if (resourceVersion === undefined) return;
        watch[Symbol.dispose]();
        resolve({ items, resourceVersion });
      },
      closed: (reason) => {
        deadline[Symbol.dispose]();
        if (reason === undefined) return;
        if (isUnknown(reason)) resolve(undefined);
        else reject(reason);
      },
    });
  });
}

/** The version of a bookmark that ends the list. */
function endOf(object: unknown): string | undefined {
  const { metadata }: { metadata?: { resourceVersion?: unknown; annotations?: Record<string, unknown> } } =
    typeof object === "object" && object !== null ? object : {};
  if (metadata?.annotations?.[END_ANNOTATION] !== "true") return undefined;
  return typeof metadata.resourceVersion === "string" ? metadata.resourceVersion : undefined;
}

/** Servers before 1.32 refuse what they do not know. */
function isUnknown(reason: KubeError): boolean {
  return (
    isKubeError(reason, "Invalid") ||
    isKubeError(reason, "BadRequest") ||
    isKubeError(reason, "InternalError")
  );
}
