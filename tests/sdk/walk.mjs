// The same walk as walk.py with Feishu's Node SDK, page by page (`get`) or with its iterator (`getWithIterator`, which hides
// refusals).
//
// Run it as: node walk.mjs get|iterator

import * as lark from '@larksuiteoapi/node-sdk';

const { VCQ_BASE_URL, VCQ_APP_ID, VCQ_APP_SECRET, VCQ_START, VCQ_END } = process.env;
const DAY_S = 86_400;
const PAGE_SIZE = 20;
const WEBINAR = 8;

// Its log would go to stdout.
const silent = () => {};
const client = new lark.Client({
  appId: VCQ_APP_ID,
  appSecret: VCQ_APP_SECRET,
  domain: VCQ_BASE_URL,
  logger: { fatal: silent, error: silent, warn: silent, info: silent, debug: silent, trace: silent },
});
const LISTS = {
  meeting_list: [client.vc.v1.meetingList, 'meeting_list'],
  participant_list: [client.vc.v1.participantList, 'participants'],
  participant_quality_list: [client.vc.v1.participantQualityList, 'participant_quality_list'],
};

// The code and all items of a list.
const walks = {
  async get(name, params) {
    const [list, key] = LISTS[name];
    const items = [];
    for (let page_token; ; ) {
      // The SDK throws the HTTP error of a refusal.
      const answer = await list.get({ params: { ...params, page_size: PAGE_SIZE, page_token } }).catch((error) => {
        if (!error.response?.data?.code) throw error;
        return error.response.data;
      });
      if (answer.code) return [answer.code, items];
      items.push(...(answer.data[key] ?? []));
      if (!answer.data.has_more) return [0, items];
      page_token = answer.data.page_token;
    }
  },
  async iterator(name, params) {
    const [list, key] = LISTS[name];
    const items = [];
    for await (const page of await list.getWithIterator({ params: { ...params, page_size: PAGE_SIZE } })) {
      items.push(...(page?.[key] ?? []));
    }
    return [null, items];
  },
};
const walk = walks[process.argv[2]];

// Reads `2022.12.23 11:16:59 (GMT+08:00)`.
const seconds = (text) => {
  const [, date, time, zone] = text.match(/^(\S+) (\S+) \(GMT(.+)\)$/);
  return Date.parse(`${date.replaceAll('.', '-')}T${time}${zone}`) / 1000;
};
const show = (list, line) => process.stdout.write(`${JSON.stringify({ list, ...line })}\n`);
const all = async (name, params) => {
  const [code, items] = await walk(name, params);
  if (code) throw new Error(`${name}: code ${code}`);
  return items;
};

const external = { include_external_meetings: true, include_webinar: true };
for (const meeting of await all('meeting_list', { start_time: VCQ_START, end_time: VCQ_END, ...external })) {
  show('meeting_list', { item: meeting });
  const start = seconds(meeting.meeting_start_time);
  const window = {
    meeting_start_time: String(start),
    meeting_end_time: String(Math.min(seconds(meeting.meeting_end_time), start + DAY_S)),
    meeting_no: meeting.meeting_id,
  };
  // The audience of a webinar is listed by a query of its own.
  for (const webinar_user_role of meeting.meeting_subtype === WEBINAR ? ['0', '3'] : [undefined]) {
    for (const participant of await all('participant_list', { ...window, webinar_user_role })) {
      show('participant_list', { meeting, item: participant });
      const { user_id, meeting_room_id, join_time } = participant;
      if (!user_id && !meeting_room_id) continue;
      const who = user_id ? { user_id } : { room_id: meeting_room_id };
      const query = { ...window, ...who, join_time: String(seconds(join_time)) };
      const [code, items] = await walk('participant_quality_list', query);
      show('participant_quality_list', { meeting, participant, code, items });
    }
  }
}
