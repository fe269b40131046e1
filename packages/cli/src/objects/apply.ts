import { annotations, isKubeError, type Kind, type KubeObject, type Stored } from "@rouse/shared";
import type { ObjectClient } from "../api/socket-client.ts";
import { isJsonObject, type JsonObject, threeWayPatch } from "./three-way-patch.ts";

/** What an apply did, in kubectl's words. */
export type Applied = "created" | "configured" | "unchanged";

/**
 * Makes the stored object what its manifest says: creates it, or changes what this manifest says or no longer says.
 * The manifest is kept in the annotation kubectl keeps it in, so the two can take turns.
 * @throws KubeError
 */
export async function apply<T extends KubeObject>(
  client: Pick<ObjectClient, "get" | "create" | "patch">,
  kind: Kind<T>,
  manifest: T,
): Promise<Applied> {
  const wanted = withLastApplied(manifest);
  const ref = { namespace: manifest.metadata.namespace ?? "", name: manifest.metadata.name };
  const stored = await getIfThere(client, kind, ref);
  if (stored === undefined) {
    await client.create(kind, wanted);
    return "created";
  }
  const body = threeWayPatch(lastAppliedOf(stored), wanted);
  const patched = await client.patch(kind, ref, { kind: "merge", body });
  return patched.metadata.resourceVersion === stored.metadata.resourceVersion ? "unchanged" : "configured";
}

async function getIfThere<T extends KubeObject>(
  client: Pick<ObjectClient, "get">,
  kind: Kind<T>,
  ref: { readonly namespace: string; readonly name: string },
): Promise<Stored<T> | undefined> {
  try {
    return await client.get(kind, ref);
  } catch (error) {
    if (isKubeError(error, "NotFound")) return undefined;
    throw error;
  }
}

function withLastApplied<T extends KubeObject>(manifest: T): T {
  const { metadata } = manifest;
  const { [annotations.lastApplied]: _, ...others } = metadata.annotations ?? {};
  const applied = JSON.stringify({ ...manifest, metadata: { ...metadata, annotations: others } });
  return {
    ...manifest,
    metadata: { ...metadata, annotations: { ...others, [annotations.lastApplied]: applied } },
  };
}

/** An object nobody applied before, or whose annotation somebody broke, has nothing to take back. */
function lastAppliedOf(stored: { readonly metadata: KubeObject["metadata"] }): JsonObject {
  const text = stored.metadata.annotations?.[annotations.lastApplied];
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
