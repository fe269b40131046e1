import { bytesSuite } from "./http-bytes-suite.ts";

bytesSuite();
