//! All texts of the page in both languages.
//!
//! Chinese uses Feishu's own terms where they exist (参会人, 会议号, 会议室, 丢包率, 抖动, 延迟, 帧率). `{name}` is replaced by a
//! value. Text from the store (topics, names, reasons, sources) is shown unchanged.

/// Key, English, Chinese.
pub(super) type Word = (&'static str, &'static str, &'static str);

pub(super) const WORDS: &[Word] = &[
    // Frame
    ("title", "Meeting quality", "会议质量报告"),
    ("title.day", "Meeting quality: {date}", "会议质量日报：{date}"),
    ("title.week", "Meeting quality: week of {date}", "会议质量周报：{date}"),
    ("title.month", "Meeting quality: {date}", "会议质量月报：{date}"),
    ("skip", "Skip to content", "跳转到正文"),
    ("contents", "Sections", "目录"),
    ("language", "Language", "语言"),
    ("theme.dark", "Dark", "深色"),
    ("theme.light", "Light", "浅色"),
    ("theme", "Appearance", "外观"),
    ("print", "Print", "打印"),
    ("print.what", "What to print", "打印范围"),
    ("print.overview", "Overview", "仅概览"),
    ("print.some", "Overview and 5 meetings", "概览和前 5 场会议"),
    ("print.all", "Overview and all meetings", "概览和全部会议"),
    ("back", "Back to overview", "返回概览"),
    ("meta.profile", "Profile: {profile}", "判定标准：{profile}"),
    ("meta.published", "Published {time} UTC", "数据发布时间：{time}（UTC）"),
    ("meta.last", "latest minute {time} UTC", "最新数据：{time}（UTC）"),
    ("meta.days", "{days} of {all} days with meetings", "{all} 天中 {days} 天有会议"),
    ("lede", "{poor} of {n} judged minutes were poor, {change}.", "{n} 个有效分钟中，{poor} 质量较差，{change}。"),
    ("lede.none", "Too few judged minutes to assess the quality of this period.", "有效分钟过少，无法评估本期质量。"),
    ("lede.target.met", "Poor audio streams meet the target of {target}.", "音频流质差率达标（目标不高于 {target}）。"),
    (
        "lede.target.missed",
        "Poor audio streams miss the target of {target}.",
        "音频流质差率未达标（目标不高于 {target}）。",
    ),
    ("lede.cause", "The most frequent cause was {cause}.", "最主要的原因是{cause}。"),
    ("change.up", "{by} more than {before}", "较{before}上升 {by}"),
    ("change.down", "{by} less than {before}", "较{before}下降 {by}"),
    ("change.same", "the same as {before}", "与{before}持平"),
    ("change.none", "no comparable data for {before}", "{before}无可比数据"),
    ("before.day", "the same weekday of the previous week", "上周同日"),
    ("before.week", "the previous week", "上周"),
    ("before.month", "the previous month", "上月"),
    ("before.short", "previously", "上期"),
    ("pp", "{n} pp", "{n} 个百分点"),
    // Banners
    ("banner.empty", "No data for this period", "本期没有数据"),
    ("banner.gap", "The data of this period is incomplete", "本期数据不完整"),
    (
        "banner.gap.text",
        "Only {value} of the minutes that can be requested are in the store. Below {gate}, the other numbers may be misleading. Days below: {days}.",
        "可获取的数据仅取得 {value}；低于 {gate} 时，其他指标可能有偏差。未达标日期：{days}。",
    ),
    ("banner.days", "Some days are incomplete", "部分日期的数据不完整"),
    (
        "banner.days.text",
        "The period meets the coverage target ({value}, target at least {gate}), but these days are below it: {days}.",
        "本期总体达标（{value}，要求不低于 {gate}），但以下日期未达标：{days}。",
    ),
    (
        "banner.pending",
        "The data of {n} participants is not final yet; a later run requests it again.",
        "{n} 位参会人的数据尚未最终确定，后续同步时会重新获取。",
    ),
    // Tiles
    ("tiles", "Key figures", "关键指标"),
    ("poor_minutes", "Poor minutes", "质差分钟"),
    ("poor_audio_streams", "Poor audio streams", "质差音频流"),
    ("affected_participants", "Affected participants", "受影响的参会人"),
    ("poor_meetings", "Poor meetings", "质差会议"),
    ("hours", "Hours in meetings", "参会时长"),
    ("mos_p50", "MOS (estimate)", "MOS（估算值）"),
    ("mos_p10", "MOS, 10th percentile", "MOS 第 10 百分位"),
    ("unclassified", "Without a verdict", "无法判定"),
    ("coverage", "Coverage", "数据覆盖率"),
    ("of.minutes", "of {n} judged minutes", "共 {n} 个有效分钟"),
    ("of.streams", "of {n} judged streams", "共 {n} 条有效音频流"),
    ("of.participants", "of {n} participants", "共 {n} 位参会人"),
    ("of.meetings", "of {n} meetings", "共 {n} 场会议"),
    ("of.held", "of {n} minutes in the store", "共 {n} 个已获取分钟"),
    ("tile.hours", "{participants} participants, {meetings} meetings", "{participants} 位参会人，{meetings} 场会议"),
    ("tile.mos", "median; 10th percentile {p10}", "中位数；第 10 百分位为 {p10}"),
    ("tile.coverage", "of minutes that can be requested; {covered} of all", "占可获取分钟；占全部 {covered}"),
    ("target.most", "target: at most {target}", "目标：不高于 {target}"),
    ("target.least", "target: at least {target}", "目标：不低于 {target}"),
    ("met", "met", "达标"),
    ("missed", "missed", "未达标"),
    ("too_few", "too few data", "样本不足"),
    // Sections
    ("s.trend", "Daily trend", "每日趋势"),
    (
        "s.trend.note",
        "Grey: before this period. Bars: hours in meetings. Smaller dots: fewer judged minutes.",
        "灰色区域为本期之前；柱形为参会时长；圆点越小，有效分钟越少。",
    ),
    ("s.heat", "Quality by weekday and hour", "质差时段分布"),
    (
        "s.heat.note",
        "Percentage of judged minutes that are poor, by weekday and hour in the participants' local time. A dot means fewer than {min_n} judged minutes.",
        "按星期和小时（参会人当地时间）统计的质差分钟占比。圆点表示有效分钟不足 {min_n}。",
    ),
    ("s.heat.once", "In a single week, one outage looks like a pattern.", "仅有一周数据时，单次故障可能被误认为规律。"),
    ("s.meetings", "Worst meetings", "质量最差的会议"),
    (
        "s.meetings.note",
        "Ranked by number of poor minutes. Open a meeting to see who was affected, minute by minute.",
        "按质差分钟数排序。点击会议可逐分钟查看受影响的参会人。",
    ),
    ("s.causes", "Causes", "原因"),
    (
        "s.causes.note",
        "The first rule that matches each poor minute. Causes are assigned by rules, not measured.",
        "每个质差分钟取第一条匹配的规则；原因由规则推断，并非实测。",
    ),
    ("s.sites", "Sites", "地点"),
    (
        "s.sites.note",
        "A site is a building if mapped, else a subnet; home networks are grouped by public network. Larger circles: more poor minutes.",
        "地点优先按楼宇划分，其次按子网；家庭网络按公网网段归类。圆越大，质差分钟越多。",
    ),
    ("s.rooms", "Rooms", "会议室"),
    (
        "s.rooms.note",
        "Worst first; rooms without poor minutes are sorted by MOS.",
        "按质量从差到好排列；没有质差分钟的会议室按 MOS 排序。",
    ),
    ("s.networks", "Networks", "网络类型"),
    (
        "s.networks.note",
        "Poor audio streams by network type; the line marks the target.",
        "各网络类型的音频流质差率；竖线为目标值。",
    ),
    ("s.versions", "App versions", "客户端版本"),
    (
        "s.versions.note",
        "Change: mean over people who used both versions; t ≥ 3 is unlikely to be chance.",
        "变化：使用过相邻两个版本的人员的平均差值；t ≥ 3 时基本可排除偶然因素。",
    ),
    ("s.coverage", "Coverage", "数据覆盖"),
    (
        "s.coverage.note",
        "Participants by coverage status, and why minutes are missing.",
        "按获取状态统计的参会人，以及数据缺失的原因。",
    ),
    ("s.coverage.days", "By day", "按天"),
    ("s.method", "How quality is judged", "判定方法"),
    (
        "s.method.poor",
        "A minute is poor if one of the participant's streams (audio, video, sharing; received or sent) exceeds a limit of the profile. Minutes without a bitrate or a metric have no verdict and are excluded from all percentages. Feishu reports packet loss for the whole connection, not per medium.",
        "参会人任一媒体流（音频、视频、共享；接收或发送）超出所选标准的限值，该分钟即为质差分钟。缺少码率或指标的分钟不作判定，也不计入占比。飞书提供的是整条连接的丢包率，不区分媒体类型。",
    ),
    (
        "s.method.affected",
        "A participant is affected by more than 10% poor minutes or by three consecutive poor minutes. A meeting is poor if at least two participants, and at least 20% of them, are affected.",
        "质差分钟超过 10%，或连续三分钟质差，即为受影响的参会人；至少两位且不少于 20% 的参会人受影响，即为质差会议。",
    ),
    (
        "s.method.mos",
        "MOS is estimated from delay, jitter and loss; it is not measured.",
        "MOS 由延迟、抖动和丢包率估算得出，并非实测。",
    ),
    (
        "s.method.small",
        "Percentages based on fewer than {min_n} judged minutes, 30 streams or 10 participants are hidden.",
        "样本过少时不显示占比：有效分钟少于 {min_n}、音频流少于 30 条或参会人少于 10 位。",
    ),
    ("s.method.limits", "Limits of this profile", "本标准的限值"),
    ("s.licences", "Licences", "许可"),
    ("s.licences.note", "This page contains Apache ECharts.", "本页面使用 Apache ECharts。"),
    ("nothing", "No data in this period.", "本期没有数据。"),
    ("all_good", "No poor minutes in this period.", "本期没有质差分钟。"),
    ("show_all", "Show all {n}", "显示全部 {n} 行"),
    ("show_less", "Show fewer", "收起"),
    ("sort_by", "Sort by {column}", "按{column}排序"),
    // Columns
    ("c.start", "Start", "开始时间"),
    ("c.topic", "Topic", "会议主题"),
    ("c.meeting_no", "Meeting number", "会议号"),
    ("c.organizer", "Organiser", "组织者"),
    ("c.participants", "Participants", "参会人"),
    ("c.affected", "Affected", "受影响人数"),
    ("c.n", "Judged min", "有效分钟"),
    ("c.poor", "Poor min", "质差分钟"),
    ("c.poor_pct", "Poor", "质差率"),
    ("c.verdict", "Verdict", "判定"),
    ("c.main_cause", "Main cause", "主要原因"),
    ("c.mos_p10", "MOS est. p10", "MOS 估算 p10"),
    ("c.poor_meetings", "Poor meetings", "质差会议"),
    ("c.top_cause", "Main cause", "主要原因"),
    ("c.mos_p50", "MOS est. p50", "MOS 估算 p50"),
    ("c.coverage_pct", "Coverage, of all minutes", "数据覆盖率（全部）"),
    ("c.cause", "Cause", "原因"),
    ("c.cause_pct", "Of all poor", "占全部质差分钟"),
    ("c.people", "People", "人数"),
    ("c.meetings", "Meetings", "会议数"),
    ("c.what_to_do", "Next step", "处理建议"),
    ("c.wifi_pct", "On wifi or cellular", "Wi-Fi 或移动网络占比"),
    ("c.site", "Site", "地点"),
    ("c.hours", "Hours", "时长（小时）"),
    ("c.of_all_poor_pct", "Of all poor", "占全部质差分钟"),
    ("c.affected_pct", "Affected", "受影响占比"),
    ("c.affected_range", "95% confidence interval", "95% 置信区间"),
    ("c.status", "Status", "状态"),
    ("c.delay_p95_ms", "Delay p95", "延迟 p95"),
    ("c.loss_in_p95_pct", "Loss in p95", "接收丢包率 p95"),
    ("c.room", "Room", "会议室"),
    ("c.network", "Network", "网络类型"),
    ("c.days_affected", "Days affected", "受影响天数"),
    ("c.pattern", "Pattern", "出现频次"),
    ("c.minutes_missing", "Meetings without minutes", "无数据的会议"),
    ("c.audio_streams_pct", "Poor audio streams", "音频流质差率"),
    ("c.allowed_pct", "Target", "目标"),
    ("c.streams", "Streams", "音频流数"),
    ("c.version", "Version", "版本"),
    ("c.pairs", "Compared people", "对比人数"),
    ("c.paired_change_pp", "Change", "变化"),
    ("c.t", "t", "t"),
    ("c.cpu_p95_pct", "CPU p95", "CPU p95"),
    ("c.rows", "Participants", "参会人"),
    ("c.expected_min", "Expected min", "应有分钟"),
    ("c.samples", "Min in store", "已获取分钟"),
    ("c.missing_min", "Missing min", "缺失分钟"),
    ("c.reason", "Reason", "原因"),
    ("c.date", "Date", "日期"),
    ("c.covered_pct", "Of all minutes", "占全部分钟"),
    ("c.askable_pct", "Of minutes that can be requested", "占可获取分钟"),
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
    ("cause.both ways", "connection, both ways", "双向"),
    ("cause.latency", "latency", "延迟"),
    ("cause.licence cap", "licence cap", "版本权益限制"),
    ("cause.unknown", "unknown", "未知"),
    ("todo.service side", "", "同一分钟多个公网出口受影响：请联系飞书并提供故障时间，无需排查本地网络。"),
    ("todo.cpu", "", "终端负载过高：关闭其他程序或虚拟背景，必要时更换电脑。"),
    ("todo.far end", "", "会议中其他参会人的发送质量差：请查看该会议的逐分钟视图。"),
    ("todo.uplink", "", "参会人上行问题：检查 Wi-Fi、上行带宽和 VPN。"),
    ("todo.downlink", "", "参会人下行问题：检查 Wi-Fi 和下行带宽。"),
    ("todo.both ways", "", "参会人上下行均有问题：先检查 Wi-Fi，再查看所在地点和公网出口。"),
    ("todo.latency", "", "网络路径过长：检查代理、VPN 和跨境线路。"),
    ("todo.licence cap", "", "分辨率受限：请检查版本权益中剩余的会议时长。"),
    ("todo.unknown", "", "没有匹配的规则：请逐分钟查看该会议。"),
    ("status.healthy", "healthy", "健康"),
    ("status.degraded", "degraded", "欠佳"),
    ("status.critical", "critical", "严重"),
    ("verdict.poor", "poor", "差"),
    ("verdict.passable", "passable", "尚可"),
    ("verdict.good", "good", "良好"),
    ("verdict.unclassified", "no verdict", "无法判定"),
    ("verdict.absent", "no data", "无数据"),
    ("pattern.chronic", "chronic", "长期"),
    ("pattern.repeated", "repeated", "多次"),
    ("pattern.once", "once", "单次"),
    ("gate.ok", "ok", "达标"),
    ("gate.gap", "gap", "未达标"),
    ("network.wired", "wired", "有线"),
    ("network.wifi", "wifi", "Wi-Fi"),
    ("network.cellular", "cellular", "移动网络"),
    ("network.unknown", "unknown", "未知"),
    ("kind.person", "person", "用户"),
    ("kind.room", "room", "会议室"),
    ("kind.guest", "guest", "访客"),
    ("coverage.complete", "complete", "完整"),
    ("coverage.empty", "empty", "无数据"),
    ("coverage.not_found", "not found", "未找到"),
    ("coverage.unaddressable", "cannot be requested", "无法查询"),
    ("coverage.too_long", "too long", "会议过长"),
    ("coverage.forbidden", "forbidden", "无权限"),
    ("coverage.unsupported", "unsupported", "不支持"),
    ("coverage.failed", "failed", "失败"),
    ("coverage.pending", "pending", "待获取"),
    // Meeting page
    ("m.title", "Meeting", "会议"),
    ("m.none", "This meeting is not on this page.", "本页面不包含该会议。"),
    ("m.no_minutes", "The minutes of this meeting are not on this page.", "本页面不包含该会议的逐分钟数据。"),
    ("m.who", "Who was affected, and when", "受影响的参会人和时间"),
    (
        "m.help",
        "Tall block: poor minute, with the colour and pattern of its cause. Low bar: good. Outline: no verdict. Blank: no data.",
        "高色块为质差分钟，颜色和纹理表示原因；矮条为良好；空心为无法判定；空白为无数据。",
    ),
    ("m.move", "Move with the arrow keys or the pointer.", "可用方向键或鼠标移动。"),
    ("m.at_once", "Participants with a poor minute at the same time", "同时处于质差状态的参会人数"),
    ("m.pick", "Select a minute to see its metrics.", "选择某一分钟查看具体指标。"),
    (
        "m.others",
        "Not shown: {n} more participants with {poor} poor minutes.",
        "另有 {n} 位参会人未显示，共 {poor} 个质差分钟。",
    ),
    ("m.show_rest", "Show {n} participants without poor minutes", "显示另外 {n} 位没有质差分钟的参会人"),
    ("m.rest", "{n} more participants had no poor minutes.", "另有 {n} 位参会人没有质差分钟。"),
    ("m.no_numbers", "only the verdict is on this page", "本页面仅包含判定结果"),
    ("m.peak", "at most {n} at the same time, {time}", "最多同时 {n} 人，{time}"),
    ("m.minutes", "{poor} of {n} min", "{poor} / {n} 分钟"),
    ("m.previous", "Previous", "上一场"),
    ("m.next", "Next", "下一场"),
    ("m.delay", "Delay", "延迟"),
    ("m.loss_in", "Loss in", "接收丢包率"),
    ("m.loss_out", "Loss out", "发送丢包率"),
    ("m.jitter_in", "Jitter in", "接收抖动"),
    ("m.jitter_out", "Jitter out", "发送抖动"),
    ("m.fps", "Frame rate in", "接收帧率"),
    ("m.height", "Resolution in", "接收分辨率"),
    ("m.cpu_app", "CPU, app", "客户端 CPU"),
    ("m.cpu_all", "CPU, system", "系统 CPU"),
    ("m.streams", "Poor streams", "质差媒体流"),
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
        "每日质差分钟占比、音频流质差率和参会时长",
    ),
    ("chart.poor_share", "Poor minutes", "质差分钟占比"),
    ("chart.causes", "Poor minutes by cause", "各原因的质差分钟"),
    ("chart.sites", "Sites by hours and percentage of poor minutes", "各地点的参会时长与质差率"),
    ("chart.networks", "Poor audio streams by network type", "各网络类型的音频流质差率"),
    ("chart.versions", "Percentage of poor minutes by app version", "各客户端版本的质差率"),
    ("chart.coverage", "Participants by day and status", "每日各状态的参会人数"),
    ("chart.hours", "Hours", "时长（小时）"),
    (
        "heat.cell",
        "{day} {from}–{to}: {value} of {n} judged minutes",
        "{day} {from}–{to}：{n} 个有效分钟中 {value} 质差",
    ),
    (
        "heat.few",
        "{day} {from}–{to}: {n} judged minutes, too few for a percentage",
        "{day} {from}–{to}：有效分钟 {n}，样本不足",
    ),
    (
        "heat.more",
        "{poor} poor, {participants} participants, {days} days",
        "质差 {poor} 分钟，{participants} 位参会人，{days} 天",
    ),
    ("heat.legend", "Poor", "质差率"),
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

    /// The scripts of the page that use texts.
    const SCRIPTS: &[&str] = &[
        include_str!("assets/base.js"),
        include_str!("assets/table.js"),
        include_str!("assets/charts.js"),
        include_str!("assets/overview.js"),
        include_str!("assets/sections.js"),
        include_str!("assets/meeting.js"),
        include_str!("assets/main.js"),
    ];

    /// The `{name}` of a text.
    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    #[test]
    fn every_text_has_both_languages_with_the_same_placeholders() {
        let mut keys = BTreeSet::new();
        for (key, english, chinese) in WORDS {
            assert!(keys.insert(key), "{key} twice");
            // The next step for a cause comes from the report in English.
            assert!(!english.is_empty() || key.starts_with("todo."), "{key} has no English");
            assert!(!chinese.is_empty(), "{key} has no Chinese");
            assert!(
                english.is_empty() || placeholders(english) == placeholders(chinese),
                "{key} has different placeholders"
            );
            assert!(!english.contains('!') && !chinese.contains('！'), "{key}");
        }
    }

    #[test]
    fn every_text_used_by_the_scripts_exists() {
        let known: BTreeSet<&str> = WORDS.iter().map(|word| word.0).collect();
        let mut used = 0;
        for text in SCRIPTS {
            for (at, _) in text.match_indices("t(\"") {
                // Not the end of another identifier, such as createElement.
                if text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.') {
                    continue;
                }
                let (key, after) = text[at + 3..].split_once('"').expect("a literal ends");
                used += 1;
                // A computed key has a known prefix.
                let found = match after.starts_with(" +") {
                    true => known.iter().any(|word| word.starts_with(key)),
                    false => known.contains(key),
                };
                assert!(found, "{key:?} before {:?}", after.chars().take(40).collect::<String>());
            }
        }
        assert!(used > 60, "only {used} found");
    }

    #[test]
    fn every_table_column_has_a_heading() {
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
    fn every_status_has_a_text() {
        let known: BTreeSet<&str> = WORDS.iter().map(|word| word.0).collect();
        for status in crate::schema::Status::ALL {
            let status = status.name();
            assert!(known.contains(format!("coverage.{status}").as_str()), "{status}");
        }
    }
}
