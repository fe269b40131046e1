export {
  assertSocketFree,
  HttpFace,
  type HttpFaceDeps,
  type HttpFaceOptions,
  SocketInUseError,
} from "./api-server/http-face.ts";
