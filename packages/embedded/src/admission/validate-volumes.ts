import { type FieldError, fieldErrors, under } from "@rouse/shared";
import type { ServingContainer, Volume } from "./pod-spec.ts";
import { DNS_1123_LABEL } from "./validate-name.ts";

/** What a volume can be, and the feature that has to be on for it. C-153 */
const SOURCES: Readonly<Record<string, string | undefined>> = {
  secret: undefined,
  configMap: undefined,
  projected: undefined,
  emptyDir: "podspec-volumes-emptydir",
  persistentVolumeClaim: "podspec-persistent-volume-claim",
  hostPath: "podspec-volumes-hostpath",
  csi: "podspec-volumes-csi",
  ephemeral: "podspec-volumes-ephemeral",
  image: "podspec-volumes-image",
};

/** Volumes of a revision; paths begin with the index. §14.4 */
export function validateVolumes(
  volumes: readonly Volume[],
  containers: readonly ServingContainer[],
  hasFeature: (name: string) => boolean,
): readonly FieldError[] {
  const mounted = new Set(
    containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)),
  );
  const seen = new Set<string>();
  return volumes.flatMap((volume, index) => {
    const { name = "" } = volume;
    const errors: FieldError[] = [];
    if (!DNS_1123_LABEL.test(name)) errors.push(fieldErrors.invalid(name, "name"));
    else if (seen.has(name))
      errors.push(fieldErrors.text(`duplicate volume name ${JSON.stringify(name)}`, "name"));
    else if (!mounted.has(name)) {
      errors.push(fieldErrors.text(`volume with name ${JSON.stringify(name)} not mounted`, "name"));
    }
    seen.add(name);
    const members = Object.keys(volume).filter((member) => member !== "name");
    const sources = members.filter((member) => Object.hasOwn(SOURCES, member));
    for (const member of members) {
      if (!Object.hasOwn(SOURCES, member)) errors.push(fieldErrors.disallowed(member));
    }
    const [source] = sources;
    if (source === undefined)
      errors.push(fieldErrors.neither("configMap", "emptyDir", "projected", "secret"));
    else if (sources.length > 1) errors.push(fieldErrors.both(...sources));
    else {
      const feature = SOURCES[source];
      if (feature !== undefined && !hasFeature(feature)) {
        const why = `${source} volume support is disabled, but found ${source} volume ${name}`;
        errors.push(fieldErrors.text(why, ""));
      }
    }
    return under(`[${index}]`, errors);
  });
}
