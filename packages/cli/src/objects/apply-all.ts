import type { ManifestObject } from "@rouse/embedded";
import { KubeError } from "@rouse/shared";
import type { ObjectClient } from "../api/socket-client.ts";
import { Failure } from "../failure.ts";
import { type Applied, apply } from "./apply.ts";

/**
 * Applies objects in their order and tells what became of each.
 * @throws Failure naming file and object, at the first that is refused; those before it stay applied
 */
export async function applyAll(
  client: Pick<ObjectClient, "get" | "create" | "patch">,
  objects: readonly ManifestObject[],
  done: (object: ManifestObject, did: Applied) => void,
): Promise<void> {
  for (const object of objects) {
    try {
      done(object, await apply(client, object.kind, object.object));
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      throw new Failure(`${object.file}:${object.line}: ${error.message}`);
    }
  }
}
