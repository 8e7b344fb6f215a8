// What an endpoint says beside what a home says: its words are there wherever one of them is said, and on no router.
import {
  type Arguments,
  type Notice,
  type NoticeCode,
  notice as ofHome,
} from '../notices/notice.ts';
import { endpointWords } from '../notices/words/endpoint.ts';
import { addWords } from '../notices/words.ts';

addWords(endpointWords);

export const notice: <Code extends NoticeCode>(code: Code, ...values: Arguments<Code>) => Notice =
  ofHome as never;
