/**
 * What whoever asks for certificates needs, a laptop or the appliance towards a site's own authority: EST's client (RFC 7030), a key in words
 * that people compare, the form of posture reports. Neither database nor keys: a laptop carries it.
 */
export { isRoot } from "./est-client-chain.ts";
export { exchange, type Exchange } from "./est-client-http.ts";
export {
  estClient,
  fingerprintOf,
  type EstAnswer,
  type EstAuth,
  type EstClient,
  type EstOptions,
} from "./est-client.ts";
export { keyWords } from "./key-words.ts";
export {
  POSTURE_MEDIA,
  POSTURE_PATH,
  POSTURE_TYPE,
  postureAlgorithms,
  postureAnswerSchema,
  type PostureAnswer,
} from "./posture-format.ts";
