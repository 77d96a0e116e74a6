//! Every word of the page, in both languages.
//!
//! Chinese uses the vendor's own terms where it has them (参会人, 会议号, 会议室, 丢包率, 抖动, 延迟, 帧率). `{name}` stands for
//! a value that the page puts in. Text from the store (topics, names, reasons, sources) is shown as it is.

/// One piece of text: key, English, Chinese.
pub(crate) type Word = (&'static str, &'static str, &'static str);

pub(crate) const WORDS: &[Word] = &[
    // Frame
    ("title", "Meeting quality", "会议质量报告"),
    ("title.day", "Meeting quality: {date}", "会议质量日报：{date}"),
    ("title.week", "Meeting quality: week of {date}", "会议质量周报：{date}"),
    ("title.month", "Meeting quality: {date}", "会议质量月报：{date}"),
    ("skip", "Skip to the content", "跳到正文"),
    ("contents", "Sections", "目录"),
    ("language", "Language", "语言"),
    ("theme.dark", "Dark", "深色"),
    ("theme.light", "Light", "浅色"),
    ("theme", "Appearance", "外观"),
    ("print", "Print", "打印"),
    ("print.what", "What to print", "打印范围"),
    ("print.overview", "Overview", "仅总览"),
    ("print.some", "Overview and 5 meetings", "总览和 5 场会议"),
    ("print.all", "Overview and all meetings", "总览和全部会议"),
    ("back", "Back to the overview", "返回总览"),
    ("meta.profile", "Limits: profile {profile}", "判定标准：{profile}"),
    ("meta.published", "Published {time} UTC", "数据发布时间：{time}（UTC）"),
    ("meta.last", "latest minute {time} UTC", "最新一分钟：{time}（UTC）"),
    ("meta.days", "{days} of {all} days with meetings", "{all} 天中有会议的 {days} 天"),
    ("lede", "{poor} of {n} judged minutes were poor, {change}.", "在 {n} 个可判定分钟中，{poor} 质量差，{change}。"),
    (
        "lede.none",
        "Too few minutes could be judged to say how good this period was.",
        "可判定的分钟太少，无法评价本期质量。",
    ),
    ("lede.target.met", "Poor audio streams meet the target of {target}.", "音频流差率达到目标（不高于 {target}）。"),
    (
        "lede.target.missed",
        "Poor audio streams miss the target of {target}.",
        "音频流差率未达到目标（不高于 {target}）。",
    ),
    ("lede.cause", "Most often the cause was {cause}.", "最常见的原因是{cause}。"),
    ("change.up", "{by} more than {before}", "比{before}高 {by}"),
    ("change.down", "{by} less than {before}", "比{before}低 {by}"),
    ("change.same", "the same as {before}", "与{before}持平"),
    ("change.none", "and there is nothing to compare with in {before}", "{before}没有可比数据"),
    ("before.day", "the same weekday a week before", "上周同日"),
    ("before.week", "the week before", "上一周"),
    ("before.month", "the month before", "上个月"),
    ("before.short", "before", "上期"),
    ("pp", "{n} pp", "{n} 个百分点"),
    // Banners
    ("banner.empty", "Nothing to show for this period", "本期没有可显示的数据"),
    ("banner.gap", "Part of this period is missing", "本期数据不完整"),
    (
        "banner.gap.text",
        "Only {value} of the minutes that can be asked for are here; below {gate} the other numbers may mislead. Days below: {days}.",
        "可查询的分钟中只取得 {value}；低于 {gate} 时其他数字可能有偏差。低于该值的日期：{days}。",
    ),
    ("banner.days", "Some days are incomplete", "部分日期数据不完整"),
    (
        "banner.days.text",
        "The period as a whole passes ({value}, at least {gate} wanted), but these days are below: {days}.",
        "本期总体达标（{value}，要求 {gate}），但以下日期低于要求：{days}。",
    ),
    (
        "banner.pending",
        "{n} participants are not final yet; a later run asks again.",
        "{n} 位参会人的数据尚未最终确定，稍后会再次查询。",
    ),
    // Tiles
    ("tiles", "Headline numbers", "关键指标"),
    ("poor_minutes", "Poor minutes", "质量差的分钟"),
    ("poor_audio_streams", "Poor audio streams", "质量差的音频流"),
    ("affected_participants", "Affected participants", "受影响参会人"),
    ("poor_meetings", "Poor meetings", "质量差的会议"),
    ("hours", "Hours in meetings", "参会时长"),
    ("mos_p50", "Opinion score (estimate)", "MOS（估算值）"),
    ("mos_p10", "10 % of minutes are below", "10% 的分钟低于"),
    ("unclassified", "Without a verdict", "无法判定"),
    ("coverage", "Coverage", "数据覆盖率"),
    ("of.minutes", "of {n} judged minutes", "共 {n} 个可判定分钟"),
    ("of.streams", "of {n} judged streams", "共 {n} 条可判定音频流"),
    ("of.participants", "of {n} participants", "共 {n} 位参会人"),
    ("of.meetings", "of {n} meetings", "共 {n} 场会议"),
    ("of.held", "of {n} minutes held", "共 {n} 个已取得分钟"),
    ("tile.hours", "{participants} participants, {meetings} meetings", "{participants} 位参会人，{meetings} 场会议"),
    ("tile.mos", "median; 10 % of minutes are below {p10}", "中位数；10% 的分钟低于 {p10}"),
    ("tile.coverage", "of what can be asked for; {covered} of everything", "占可查询的分钟；占全部 {covered}"),
    ("target.most", "target at most {target}", "目标：不高于 {target}"),
    ("target.least", "at least {target} wanted", "要求：不低于 {target}"),
    ("met", "met", "达标"),
    ("missed", "missed", "未达标"),
    ("too_few", "too few", "样本太少"),
    // Sections
    ("s.trend", "Day by day", "每日趋势"),
    (
        "s.trend.note",
        "Grey: before this period. Bars: hours in meetings. Smaller dots: fewer judged minutes.",
        "灰色区域：本期之前。柱形：参会时长。圆点越小，可判定分钟越少。",
    ),
    ("s.heat", "When it hurts", "问题时段"),
    (
        "s.heat.note",
        "Poor share of the judged minutes by weekday and hour on the participants' clock. A dot: under {min_n} judged minutes.",
        "按星期和小时（参会人当地时间）统计的质量差分钟占比。圆点：可判定分钟不足 {min_n}。",
    ),
    ("s.heat.once", "With one week, a single outage looks like a habit.", "只有一周数据时，单次故障看起来会像规律。"),
    ("s.meetings", "Worst meetings", "质量最差的会议"),
    (
        "s.meetings.note",
        "Ranked by poor minutes. Open one to see who had trouble, minute by minute.",
        "按质量差的分钟数排序。打开会议可逐分钟查看谁遇到了问题。",
    ),
    ("s.causes", "Causes", "原因"),
    (
        "s.causes.note",
        "The first rule that fits a poor minute; a rule, not a measurement.",
        "取第一条符合的规则；这是规则判断，不是测量结果。",
    ),
    ("s.sites", "Sites", "地点"),
    (
        "s.sites.note",
        "A site is a building, else a subnet; home networks by their public network. To the right much use, up poor quality; larger: more poor minutes.",
        "地点为楼宇，否则为子网；家庭网络按公网网段归类。越靠右使用越多，越靠上质量越差；圆越大，质量差的分钟越多。",
    ),
    ("s.rooms", "Rooms", "会议室"),
    (
        "s.rooms.note",
        "The worst first; rooms without poor minutes by their opinion score.",
        "最差的在前；没有质量差分钟的会议室按 MOS 排序。",
    ),
    ("s.networks", "Networks", "网络类型"),
    (
        "s.networks.note",
        "Poor audio streams by kind of network, against the target of each (line).",
        "各网络类型的音频流差率与各自目标（竖线）对比。",
    ),
    ("s.versions", "App versions", "客户端版本"),
    (
        "s.versions.note",
        "Change: mean over people who used both versions; from t = 3 on it is no chance.",
        "变化：同时用过两个版本的人的平均差；t ≥ 3 时不是偶然。",
    ),
    ("s.coverage", "Coverage", "数据覆盖"),
    (
        "s.coverage.note",
        "Participants by what became of asking for their minutes, and why minutes are missing.",
        "按查询结果统计的参会人，以及分钟缺失的原因。",
    ),
    ("s.coverage.days", "By day", "按天"),
    ("s.method", "How this is judged", "判定方法"),
    (
        "s.method.poor",
        "A minute is poor where one of a participant's streams (audio, video, sharing; received or sent) breaks a limit of the profile. Minutes without bit rate or metric have no verdict and are in no share. The vendor tells loss for the whole connection, not for each medium.",
        "参会人任一媒体流（音频、视频、共享；接收或发送）超过所选标准的限值，该分钟即为质量差。没有码率或指标的分钟不作判定，也不计入占比。平台提供的丢包率是整个连接的，不区分媒体。",
    ),
    (
        "s.method.affected",
        "A participant is affected with more than 10 % poor minutes or three poor minutes in a row; a meeting is poor where at least two, and 20 % of its, participants are affected.",
        "质量差的分钟超过 10%，或连续三分钟质量差，即为受影响参会人；至少两位且不少于 20% 的参会人受影响，即为质量差的会议。",
    ),
    (
        "s.method.mos",
        "The opinion score is an estimate from delay, jitter and loss, not measured.",
        "MOS 由延迟、抖动和丢包率估算，并非实测。",
    ),
    (
        "s.method.small",
        "Shares are hidden where they would be chance: under {min_n} judged minutes, 30 streams or 10 participants.",
        "样本过少时不显示占比：不足 {min_n} 个可判定分钟、30 条流或 10 位参会人。",
    ),
    ("s.method.limits", "Limits of this profile", "本标准的限值"),
    ("s.licences", "Licences", "许可"),
    ("s.licences.note", "This page contains Apache ECharts.", "本页面包含 Apache ECharts。"),
    ("nothing", "Nothing in this period.", "本期没有数据。"),
    ("all_good", "No poor minute in this period.", "本期没有质量差的分钟。"),
    ("show_all", "Show all {n}", "显示全部 {n} 行"),
    ("show_less", "Show fewer", "收起"),
    ("sort_by", "Sort by {column}", "按{column}排序"),
    // Columns
    ("c.start", "Start", "开始时间"),
    ("c.topic", "Topic", "会议主题"),
    ("c.meeting_no", "Meeting number", "会议号"),
    ("c.organizer", "Organizer", "组织者"),
    ("c.participants", "Participants", "参会人"),
    ("c.affected", "Affected", "受影响"),
    ("c.n", "Judged min", "可判定分钟"),
    ("c.poor", "Poor min", "质量差分钟"),
    ("c.poor_pct", "Poor", "差率"),
    ("c.verdict", "Verdict", "判定"),
    ("c.main_cause", "Main cause", "主要原因"),
    ("c.mos_p10", "MOS est. p10", "MOS 估算 p10"),
    ("c.poor_meetings", "Poor meetings", "质量差的会议"),
    ("c.top_cause", "Main cause", "主要原因"),
    ("c.mos_p50", "MOS est. p50", "MOS 估算 p50"),
    ("c.coverage_pct", "Coverage, of everything", "数据覆盖率（全部）"),
    ("c.cause", "Cause", "原因"),
    ("c.cause_pct", "Of all poor", "占全部差分钟"),
    ("c.people", "People", "人数"),
    ("c.meetings", "Meetings", "会议数"),
    ("c.what_to_do", "Where to look", "排查方向"),
    ("c.wifi_pct", "On wifi or cellular", "无线或蜂窝"),
    ("c.site", "Site", "地点"),
    ("c.hours", "Hours", "时长（小时）"),
    ("c.of_all_poor_pct", "Of all poor", "占全部差分钟"),
    ("c.affected_pct", "Affected", "受影响占比"),
    ("c.affected_range", "95 % interval", "95% 区间"),
    ("c.status", "Status", "状态"),
    ("c.delay_p95_ms", "Delay p95", "延迟 p95"),
    ("c.loss_in_p95_pct", "Loss in p95", "接收丢包率 p95"),
    ("c.room", "Room", "会议室"),
    ("c.network", "Network", "网络类型"),
    ("c.days_affected", "Days affected", "受影响天数"),
    ("c.pattern", "Pattern", "规律"),
    ("c.minutes_missing", "Meetings without minutes", "无数据会议"),
    ("c.audio_streams_pct", "Poor audio streams", "音频流差率"),
    ("c.allowed_pct", "Target", "目标"),
    ("c.streams", "Streams", "音频流数"),
    ("c.version", "Version", "版本"),
    ("c.pairs", "Compared people", "对比人数"),
    ("c.paired_change_pp", "Change", "变化"),
    ("c.t", "t", "t"),
    ("c.cpu_p95_pct", "CPU p95", "CPU p95"),
    ("c.rows", "Participants", "参会人"),
    ("c.expected_min", "Expected min", "应有分钟"),
    ("c.samples", "Held min", "已取得分钟"),
    ("c.missing_min", "Missing min", "缺失分钟"),
    ("c.reason", "Reason", "原因"),
    ("c.date", "Date", "日期"),
    ("c.covered_pct", "Of everything", "占全部"),
    ("c.askable_pct", "Of what can be asked", "占可查询"),
    ("c.gate", "Gate", "是否达标"),
    ("c.metric", "Limit", "限值项"),
    ("c.value", "Value", "数值"),
    ("c.source", "Source", "来源"),
    // Values
    ("cause.service side", "service side", "服务端"),
    ("cause.cpu", "computer (CPU)", "终端 CPU"),
    ("cause.far end", "far end", "对端"),
    ("cause.uplink", "uplink", "上行"),
    ("cause.downlink", "downlink", "下行"),
    ("cause.both ways", "line, both ways", "上下行"),
    ("cause.latency", "latency", "延迟"),
    ("cause.licence cap", "licence cap", "许可限制"),
    ("cause.unknown", "unknown", "未知"),
    ("todo.service side", "", "服务端同一分钟影响多个公网：查看平台状态，无需排查本地。"),
    ("todo.cpu", "", "终端负载过高：关闭其他程序、虚拟背景，或更换电脑。"),
    ("todo.far end", "", "会议中其他人发送质量差：见该会议的逐分钟视图。"),
    ("todo.uplink", "", "参会人的上行：Wi-Fi、上行带宽、VPN。"),
    ("todo.downlink", "", "到参会人的下行：Wi-Fi、线路的下行带宽。"),
    ("todo.both ways", "", "参会人的整条线路：Wi-Fi，然后看地点和公网。"),
    ("todo.latency", "", "路径太长：代理、VPN、跨境线路。"),
    ("todo.licence cap", "", "会议分钟额度用尽，分辨率受限：查看许可。"),
    ("todo.unknown", "", "没有规则符合：逐分钟查看该会议。"),
    ("status.healthy", "healthy", "健康"),
    ("status.degraded", "degraded", "下降"),
    ("status.critical", "critical", "严重"),
    ("verdict.poor", "poor", "差"),
    ("verdict.passable", "passable", "尚可"),
    ("verdict.good", "good", "良好"),
    ("verdict.unclassified", "no verdict", "无法判定"),
    ("verdict.absent", "no data", "无数据"),
    ("pattern.chronic", "chronic", "持续"),
    ("pattern.repeated", "repeated", "多次"),
    ("pattern.once", "once", "一次"),
    ("gate.ok", "ok", "达标"),
    ("gate.gap", "gap", "缺口"),
    ("network.wired", "wired", "有线"),
    ("network.wifi", "wifi", "Wi-Fi"),
    ("network.cellular", "cellular", "移动网络"),
    ("network.unknown", "unknown", "未知"),
    ("kind.person", "person", "用户"),
    ("kind.room", "room", "会议室"),
    ("kind.guest", "guest", "访客"),
    ("coverage.complete", "complete", "完整"),
    ("coverage.empty", "empty", "为空"),
    ("coverage.not_found", "not found", "未找到"),
    ("coverage.unaddressable", "cannot be asked", "无法查询"),
    ("coverage.too_long", "too long", "会议过长"),
    ("coverage.forbidden", "forbidden", "无权限"),
    ("coverage.unsupported", "unsupported", "不支持"),
    ("coverage.failed", "failed", "失败"),
    ("coverage.pending", "pending", "待定"),
    // Meeting page
    ("m.title", "Meeting", "会议"),
    ("m.none", "This meeting is not on this page.", "本页面没有该会议。"),
    ("m.no_minutes", "The minutes of this meeting are not on this page.", "本页面没有该会议的逐分钟数据。"),
    ("m.who", "Who had trouble, and when", "谁在何时遇到问题"),
    (
        "m.help",
        "A tall block is a poor minute, coloured and hatched by cause; a low bar a good one; an outline one without a verdict; nothing: no data.",
        "高色块为质量差的分钟，颜色和纹理表示原因；矮条为良好；空心为无法判定；空白为无数据。",
    ),
    ("m.move", "Move with the arrow keys or the pointer.", "可用方向键或鼠标移动。"),
    ("m.at_once", "Participants with a poor minute at once", "同一分钟内质量差的参会人数"),
    ("m.pick", "Choose a minute to see its numbers.", "选择一分钟查看具体数值。"),
    (
        "m.others",
        "Not shown: {n} more participants with {poor} poor minutes.",
        "另有 {n} 位参会人未显示，共 {poor} 个质量差分钟。",
    ),
    ("m.show_rest", "Show {n} participants without a poor minute", "显示另外 {n} 位没有质量差分钟的参会人"),
    ("m.rest", "{n} more participants had no poor minute.", "另有 {n} 位参会人没有质量差的分钟。"),
    ("m.no_numbers", "only the verdict is on this page", "本页面仅有判定结果"),
    ("m.peak", "at most {n} at once, {time}", "最多同时 {n} 人，{time}"),
    ("m.minutes", "{poor} of {n} min", "{poor} / {n} 分钟"),
    ("m.previous", "Previous", "上一场"),
    ("m.next", "Next", "下一场"),
    ("m.delay", "Delay", "延迟"),
    ("m.loss_in", "Loss in", "接收丢包率"),
    ("m.loss_out", "Loss out", "发送丢包率"),
    ("m.jitter_in", "Jitter in", "接收抖动"),
    ("m.jitter_out", "Jitter out", "发送抖动"),
    ("m.fps", "Frames in", "接收帧率"),
    ("m.height", "Picture in", "接收分辨率"),
    ("m.cpu_app", "CPU, app", "客户端 CPU"),
    ("m.cpu_all", "CPU, machine", "系统 CPU"),
    ("m.streams", "Poor streams", "质量差的流"),
    ("m.audio_in", "audio in", "音频接收"),
    ("m.audio_out", "audio out", "音频发送"),
    ("m.video_in", "video in", "视频接收"),
    ("m.video_out", "video out", "视频发送"),
    ("m.share_in", "sharing in", "共享接收"),
    ("m.share_out", "sharing out", "共享发送"),
    // Charts
    ("chart.target", "target {target}", "目标 {target}"),
    (
        "chart.trend",
        "Poor minutes and poor audio streams by day, with the hours in meetings",
        "每日质量差分钟占比、音频流差率和参会时长",
    ),
    ("chart.causes", "Poor minutes by cause", "各原因的质量差分钟"),
    ("chart.sites", "Sites by hours and share of poor minutes", "各地点的时长与差率"),
    ("chart.networks", "Poor audio streams by kind of network", "各网络类型的音频流差率"),
    ("chart.versions", "Share of poor minutes by app version", "各客户端版本的差率"),
    ("chart.coverage", "Participants by day and status", "每日各状态的参会人"),
    ("chart.hours", "Hours", "时长（小时）"),
    (
        "heat.cell",
        "{day} {from}–{to}: {value} of {n} judged minutes",
        "{day} {from}–{to}：{n} 个可判定分钟中 {value} 质量差",
    ),
    (
        "heat.few",
        "{day} {from}–{to}: {n} judged minutes, too few for a share",
        "{day} {from}–{to}：可判定分钟 {n}，样本太少",
    ),
    (
        "heat.more",
        "{poor} poor, {participants} participants, {days} days",
        "质量差 {poor} 分钟，{participants} 位参会人，{days} 天",
    ),
    ("heat.legend", "Poor", "差率"),
    ("weekday.1", "Mon", "周一"),
    ("weekday.2", "Tue", "周二"),
    ("weekday.3", "Wed", "周三"),
    ("weekday.4", "Thu", "周四"),
    ("weekday.5", "Fri", "周五"),
    ("weekday.6", "Sat", "周六"),
    ("weekday.7", "Sun", "周日"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The page's program, as far as it names words.
    const PROGRAM: &[&str] = &[
        include_str!("assets/base.js"),
        include_str!("assets/table.js"),
        include_str!("assets/charts.js"),
        include_str!("assets/overview.js"),
        include_str!("assets/sections.js"),
        include_str!("assets/meeting.js"),
        include_str!("assets/main.js"),
    ];

    /// `{name}` of a text.
    fn holes(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_word_stands_in_both_languages_with_the_same_values() {
        let mut keys = BTreeSet::new();
        for (key, english, chinese) in WORDS {
            assert!(keys.insert(key), "{key} twice");
            // What to do about a cause is said by the report, in English.
            assert!(!english.is_empty() || key.starts_with("todo."), "{key} has no English");
            assert!(!chinese.is_empty(), "{key} has no Chinese");
            assert!(english.is_empty() || holes(english) == holes(chinese), "{key} differs in its values");
            assert!(!english.contains('!') && !chinese.contains('！'), "{key}");
        }
    }

    #[test]
    fn every_word_that_the_program_asks_for_is_there() {
        let known: BTreeSet<&str> = WORDS.iter().map(|word| word.0).collect();
        let mut asked = 0;
        for text in PROGRAM {
            for (at, _) in text.match_indices("t(\"") {
                // Not the end of another name, such as createElement.
                if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.') {
                    continue;
                }
                let (key, after) = text[at + 3..].split_once('"').expect("a literal ends");
                asked += 1;
                // A key that is put together has a beginning that others have too.
                let found = match after.starts_with(" +") {
                    true => known.iter().any(|word| word.starts_with(key)),
                    false => known.contains(key),
                };
                assert!(found, "{key:?} before {:?}", after.chars().take(40).collect::<String>());
            }
        }
        assert!(asked > 60, "{asked}: the search finds what the program asks for");
    }

    #[test]
    fn every_column_of_a_table_has_a_head() {
        let known: BTreeSet<&str> = WORDS.iter().map(|word| word.0).collect();
        let sections = include_str!("assets/sections.js");
        for rest in sections.split("{ key: \"").skip(1) {
            let (key, after) = rest.split_once('"').expect("a literal ends");
            let head =
                after.strip_prefix(", head: \"").and_then(|rest| rest.split_once('"')).map_or(key, |(head, _)| head);
            assert!(known.contains(format!("c.{head}").as_str()), "c.{head}");
        }
    }

    #[test]
    fn every_status_has_a_word() {
        let known: BTreeSet<&str> = WORDS.iter().map(|word| word.0).collect();
        for status in crate::schema::Status::ALL {
            let status = status.name();
            assert!(known.contains(format!("coverage.{status}").as_str()), "{status}");
        }
    }
}
