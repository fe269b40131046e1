export {
  assertSocketFree,
  HttpFace,
  type HttpFaceDeps,
  type HttpFaceOptions,
  type Page,
  SocketInUseError,
} from "./api-server/http-face.ts";
export { type LoadOptions, loadManifests } from "./manifest/load-manifests.ts";
export {
  type ManifestError,
  type ManifestObject,
  type Manifests,
  manifestErrorText,
} from "./manifest/manifest.ts";
export { type Home, type HomeDeps, type HomeOptions, startHome } from "./wiring.ts";
