<?php
// The same walk as walk.py with PHP and guzzle, as Debian packages them (php-cli, php-guzzlehttp-guzzle).

require 'GuzzleHttp/autoload.php';

const DAY_S = 86400;
const PAGE_SIZE = 20;
const WEBINAR = 8;

$client = new GuzzleHttp\Client(['base_uri' => getenv('VCQ_BASE_URL'), 'http_errors' => false, 'proxy' => '']);

function request($method, $path, $options)
{
    global $client;
    return json_decode($client->request($method, "/open-apis/$path", $options)->getBody());
}

$token = request('POST', 'auth/v3/tenant_access_token/internal', [
    'json' => ['app_id' => getenv('VCQ_APP_ID'), 'app_secret' => getenv('VCQ_APP_SECRET')],
])->tenant_access_token;

// The code and all items of a list.
function walk($name, $query)
{
    global $token;
    $key = $name === 'participant_list' ? 'participants' : $name;
    $items = [];
    while (true) {
        $answer = request('GET', "vc/v1/$name", [
            'query' => $query + ['page_size' => PAGE_SIZE],
            'headers' => ['Authorization' => "Bearer $token"],
        ]);
        if ($answer->code) {
            return [$answer->code, $items];
        }
        array_push($items, ...($answer->data->$key ?? []));
        if (!$answer->data->has_more) {
            return [0, $items];
        }
        $query['page_token'] = $answer->data->page_token;
    }
}

function all($name, $query)
{
    [$code, $items] = walk($name, $query);
    if ($code) {
        throw new Exception("$name: code $code");
    }
    return $items;
}

// Reads `2022.12.23 11:16:59 (GMT+08:00)`. PHP takes the parenthesis at the end for a part of the zone.
function seconds($text)
{
    return DateTime::createFromFormat('Y.m.d H:i:s (P', $text)->getTimestamp();
}

function show($list, $line)
{
    $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR;
    echo json_encode(['list' => $list] + $line, $flags), "\n";
}

$external = ['include_external_meetings' => 'true', 'include_webinar' => 'true'];
foreach (all('meeting_list', ['start_time' => getenv('VCQ_START'), 'end_time' => getenv('VCQ_END')] + $external) as $meeting) {
    show('meeting_list', ['item' => $meeting]);
    $start = seconds($meeting->meeting_start_time);
    $window = [
        'meeting_start_time' => $start,
        'meeting_end_time' => min(seconds($meeting->meeting_end_time), $start + DAY_S),
        'meeting_no' => $meeting->meeting_id,
    ];
    // The audience of a webinar is listed by a query of its own.
    $roles = ($meeting->meeting_subtype ?? 0) === WEBINAR ? [['webinar_user_role' => 0], ['webinar_user_role' => 3]] : [[]];
    foreach ($roles as $role) {
        foreach (all('participant_list', $window + $role) as $participant) {
            show('participant_list', ['meeting' => $meeting, 'item' => $participant]);
            if ($participant->user_id ?? '') {
                $who = ['user_id' => $participant->user_id];
            } elseif ($participant->meeting_room_id ?? '') {
                $who = ['room_id' => $participant->meeting_room_id];
            } else {
                continue;
            }
            $query = $window + $who + ['join_time' => seconds($participant->join_time)];
            [$code, $items] = walk('participant_quality_list', $query);
            show('participant_quality_list', [
                'meeting' => $meeting, 'participant' => $participant, 'code' => $code, 'items' => $items,
            ]);
        }
    }
}
