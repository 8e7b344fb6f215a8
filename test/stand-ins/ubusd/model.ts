// What the stand-in for ubusd keeps of its clients and their objects.

/** Where ids come from: random as ubusd's, or those of a recorded conversation. */
export interface Ids {
  client(): number;
  object(): number;
  type(): number;
}

export interface Client {
  id: number;
  user: string;
  group: string;
  objects: Set<ServedObject>;
  send(bytes: Buffer): void;
}

export interface ObjectType {
  id: number;
  signature: Buffer;
  /** Objects of this type. */
  uses: number;
}

export interface ServedObject {
  id: number;
  client: Client;
  path?: string;
  type?: ObjectType;
  /** Latest first, as ubusd's lists are. */
  subscribers: ServedObject[];
  targets: ServedObject[];
  /** Sequence of the last message ubusd itself sent to this object. */
  lastSeq: number;
}
