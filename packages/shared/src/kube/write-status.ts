import { isKubeError, type KubeClient, KubeError } from "./client.ts";
import type { Kind, KubeObject, Stored } from "./object.ts";
import { sameState } from "./semantic-equal.ts";

/** As the reference: a conflict is tried again on a fresh read this often in all (C-10 step 6). */
const ATTEMPTS_MAX = 5;

type WithStatus = KubeObject & { readonly status?: unknown };

/**
 * Writes `status` if it says anything new: compared as `sameState` does, so a pass that changes nothing writes nothing
 * (C-10, C-13, CI-1). On a conflict the object is read again and its whole status overwritten, five attempts in all;
 * nothing is written to a successor of the same name (another uid).
 * @returns the object as it is stored now
 * @throws KubeError `NotFound` when it is gone or replaced, `Conflict` after the last attempt
 */
export async function writeStatus<T extends WithStatus>(
  client: KubeClient,
  kind: Kind<T>,
  object: Stored<T>,
  status: NonNullable<T["status"]>,
): Promise<Stored<T>> {
  let current = object;
  for (let attempt = 1; ; attempt++) {
    if (sameState(statusOf(current), status)) return current;
    try {
      return await client.updateStatus(kind, withStatus(current, status));
    } catch (error) {
      if (!isKubeError(error, "Conflict") || attempt === ATTEMPTS_MAX) throw error;
    }
    const { namespace, name } = current.metadata;
    current = await client.get(kind, { namespace, name });
    // The uid as a precondition would fail every further attempt, and the state is that of another object.
    if (current.metadata.uid !== object.metadata.uid) throw replaced(kind, name);
  }
}

function statusOf(object: object): unknown {
  return "status" in object ? object.status : undefined;
}

/** The compiler does not see that `Stored<T>` with a status of `T` is a `T`. */
function withStatus<T extends WithStatus>(object: Stored<T>, status: NonNullable<T["status"]>): T {
  return { ...object, status } as unknown as T;
}

function replaced(kind: Kind<KubeObject>, name: string): KubeError {
  return new KubeError("NotFound", `${kind.plural} "${name}" not found: another object has its name now`);
}
