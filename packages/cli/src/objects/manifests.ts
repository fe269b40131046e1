import { loadManifests, type ManifestObject, manifestErrorText } from "@rouse/embedded";
import { usageFailure } from "../failure.ts";

/**
 * The objects that files and directories describe, in their order.
 * @throws Failure (usage) with a line for everything that is wrong in any of them
 */
export async function soundManifests(
  paths: readonly string[],
  cwd: string,
): Promise<readonly ManifestObject[]> {
  const { objects, errors } = await loadManifests(paths, { cwd });
  if (errors.length > 0) {
    throw usageFailure(["the manifests are not well:", ...errors.map(manifestErrorText)].join("\n  "));
  }
  return objects;
}
