export {
  assertSocketFree,
  HttpFace,
  type HttpFaceDeps,
  type HttpFaceOptions,
  type Page,
  SocketInUseError,
} from "./api-server/http-face.ts";
