/** What tests of other packages may use: the API alone on a port, and a real kubectl. */
export { Kubectl, kubectlArchive, type Said } from "./kubectl.ts";
export { serveApi } from "./serve-api.ts";
