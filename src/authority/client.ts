/** The authority's client half: asks an EST server for certificates. Imports neither the database nor what control holds, so that a laptop can carry it. */
export {
  estClient,
  fingerprintOf,
  type EstAnswer,
  type EstAuth,
  type EstClient,
  type EstOptions,
} from "./est-client.ts";
export { keyWords } from "./key-words.ts";
export { exchange, type Exchange } from "./est-client-http.ts";
export {
  POSTURE_MEDIA,
  POSTURE_PATH,
  POSTURE_TYPE,
  postureAlgorithms,
  postureAnswerSchema,
  type PostureAnswer,
} from "./posture-format.ts";
