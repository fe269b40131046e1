import {
  isControlledBy,
  isKubeError,
  type Kind,
  type KubeClient,
  type KubeObject,
  type Stored,
} from "@rouse/shared";

/** The name a controller needs is held by an object of somebody else, which is left alone. C-7. */
export class NotOwnedError extends Error {
  override readonly name = "NotOwnedError";
}

/** Something that has to be there first is not there yet: no fault, an event will bring the next pass. C-56, K-44. */
export class WaitingError extends Error {
  override readonly name = "WaitingError";
}

type Owner = { readonly metadata: { readonly uid: string; readonly name: string } };

/** @throws NotOwnedError unless `owner` controls `child` */
export function requireOwned(child: KubeObject, owner: Owner): void {
  if (isControlledBy(child, owner)) return;
  throw new NotOwnedError(
    `There is an existing ${child.kind} ${JSON.stringify(child.metadata.name)} that we do not own.`,
  );
}

/**
 * Creates a child, or takes the one that is there already and that the cache did not show yet.
 * @throws NotOwnedError if the one that is there is not controlled by `owner`
 */
export async function createChild<T extends KubeObject>(
  client: KubeClient,
  kind: Kind<T>,
  wanted: T,
  owner: Owner,
): Promise<{ readonly object: Stored<T>; readonly isNew: boolean }> {
  try {
    return { object: await client.create(kind, wanted), isNew: true };
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
  const { namespace = "", name } = wanted.metadata;
  const object = await client.get(kind, { namespace, name });
  requireOwned({ ...object, apiVersion: wanted.apiVersion, kind: kind.kind }, owner);
  return { object, isNew: false };
}
