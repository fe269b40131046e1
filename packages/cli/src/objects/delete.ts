import type { ManifestObject } from "@rouse/embedded";
import { isKubeError, type Kind, type KubeObject } from "@rouse/shared";
import type { ObjectClient } from "../api/socket-client.ts";
import type { Output } from "../output.ts";
import { objectName } from "./kind-names.ts";

interface DeleteDeps {
  readonly client: Pick<ObjectClient, "delete">;
  readonly output: Output;
  readonly ignoreNotFound: boolean;
}

/** Deletes what manifests describe, last first: what was applied later may need what came before. @throws KubeError */
export async function deleteAll(deps: DeleteDeps, objects: readonly ManifestObject[]): Promise<void> {
  for (const { kind, object } of objects.toReversed()) {
    const { namespace = "", name } = object.metadata;
    await deleteOne(deps, kind, { namespace, name });
  }
}

/** @throws KubeError `NotFound` for the first that is not there, unless that is to be ignored */
export async function deleteNamed(
  deps: DeleteDeps,
  what: { readonly kind: Kind<KubeObject>; readonly namespace: string; readonly names: readonly string[] },
): Promise<void> {
  for (const name of what.names) {
    await deleteOne(deps, what.kind, { namespace: what.kind.isNamespaced ? what.namespace : "", name });
  }
}

async function deleteOne(
  { client, output, ignoreNotFound }: DeleteDeps,
  kind: Kind<KubeObject>,
  ref: { readonly namespace: string; readonly name: string },
): Promise<void> {
  try {
    await client.delete(kind, ref);
    output.out(`${objectName(kind, ref.name)} deleted`);
  } catch (error) {
    if (!(ignoreNotFound && isKubeError(error, "NotFound"))) throw error;
  }
}
