//! Pages of the size that sites really send, made up and the same every time.

use std::fmt::Write;

/// A page of a platform file's page kind.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) platform: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) url: &'static str,
    pub(crate) body: String,
    /// The posts that are on it.
    pub(crate) posts: usize,
}

/// A column page of a government site, about 150 kB: styles, scripts, a menu of every column,
/// boxes of undated links, and forty dated entries.
pub(crate) fn column() -> Sample {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n<title>工作动态_海岚市\
         人民政府</title>\n<meta name=\"SiteName\" content=\"海岚市人民政府\">\n<meta name=\"ColumnName\" \
         content=\"工作动态\">\n<style>\n",
    );
    for number in 0..330 {
        let _ = writeln!(
            page,
            ".mod-{number} .tit a:hover {{ color: #c{number:05}; margin: 0 {number}px 2px; }}"
        );
    }
    page.push_str("</style>\n<script>\n");
    for number in 0..420 {
        let _ = writeln!(
            page,
            "var node_{number} = document.getElementById('node{number}'); if (node_{number}) {{ bind(node_{number}); }}"
        );
    }
    page.push_str("</script>\n</head>\n<body>\n<div class=\"header\"><div class=\"nav\"><ul>\n");
    for number in 0..440 {
        let name = words(number, 6);
        let _ = writeln!(
            page,
            "<li class=\"nav-item\"><a href=\"/zwgk/c{number}/index.html\" target=\"_blank\"><i class=\"icon\"></i>{name}</a></li>"
        );
    }
    page.push_str("</ul></div></div>\n<div class=\"main\"><div class=\"side\">\n");
    for number in 0..160 {
        let title = words(number * 7, 17);
        let _ = writeln!(
            page,
            "<p class=\"box\"><a href=\"/zt/{number}.html\" target=\"_blank\">{title}</a></p>"
        );
    }
    page.push_str("</div>\n<div class=\"right\"><div class=\"crumb\">首页 &gt; 工作动态</div>\n<ul class=\"list\">\n");
    for number in 0..40 {
        let title = words(number * 13, 26);
        let (month, day) = (11 - number / 20, 27 - number % 20);
        let _ = writeln!(
            page,
            "<li><a href=\"/gzdt/2026{month:02}/t2026{month:02}{day:02}_{number}.html\" target=\"_blank\" title=\"{title}\">{title}</a><span class=\"date\">2026-{month:02}-{day:02}</span></li>"
        );
    }
    page.push_str("</ul>\n<div class=\"page\"><a href=\"index.html\">首页</a> <a class=\"next\" href=\"index_1.html\">下一页</a></div></div></div>\n<div class=\"footer\">\n");
    for number in 0..120 {
        let _ = writeln!(
            page,
            "<a href=\"http://www{number}.hailan.example/\" target=\"_blank\" rel=\"nofollow\">{}</a>",
            words(number * 3, 8)
        );
    }
    page.push_str("<p>版权所有 海岚市人民政府办公室　网站标识码：9900000001　海ICP备20261101号</p></div>\n</body>\n</html>\n");
    Sample {
        name: "HTML, a column of a government site",
        platform: "portal",
        kind: "list",
        url: "https://www.hailan.example/gzdt/index.html",
        body: page,
        posts: 40,
    }
}

/// A timeline of Weibo's plain HTML site, with as many posts as make 150 kB.
pub(crate) fn plain_timeline() -> Sample {
    let mut page = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE html><html><head><title>海岚发布的微博</title></head>\
         <body><div class=\"u\"><table><tr><td><a href=\"/9990000001/info\">资料</a></td></tr></table><div class=\"tip2\">\
         <span class=\"tc\">微博[1284]</span> <a href=\"/9990000001/follow\">关注[88]</a> <a href=\"/9990000001/fans\">粉丝[23456]</a></div></div>\n",
    );
    for number in 0..150 {
        let (month, day, id) = (11 - number / 25 % 10, 26 - number % 25, number + 100);
        let text = words(number * 11, 120);
        let _ = writeln!(
            page,
            "<div class=\"c\" id=\"M_Qf04p{id}\"><div><span class=\"ctt\">【{text}】<a href=\"https://weibo.cn/pages/100808topic?extparam=x{number}&amp;from=feed\">#海岚天气#</a></span>&nbsp;[<a href=\"https://weibo.cn/mblog/picAll/Qf04p{id}?rl=1\">组图共3张</a>]</div><div><a href=\"https://weibo.cn/mblog/pic/Qf04p{id}?rl=0\"><img src=\"https://img.example/wap180/{id}.jpg\" alt=\"图片\" class=\"ib\" /></a>&nbsp;<a href=\"https://weibo.cn/attitude/Qf04p{id}/add?uid=1&amp;rl=0\">赞[{number}]</a>&nbsp;<a href=\"https://weibo.cn/repost/Qf04p{id}?uid=9990000001\">转发[{number}]</a>&nbsp;<a href=\"https://weibo.cn/comment/Qf04p{id}?uid=9990000001#cmtfrm\" class=\"cc\">评论[{number}]</a>&nbsp;<!----><span class=\"ct\">{month:02}月{day:02}日 08:05&nbsp;来自微博</span></div></div><div class=\"s\"></div>"
        );
    }
    page.push_str("</body></html>\n");
    Sample {
        name: "HTML, a plain timeline",
        platform: "weibo",
        kind: "timeline_html",
        url: "https://weibo.cn/9990000001/profile",
        body: page,
        posts: 150,
    }
}

/// A timeline of Weibo's mobile site, about 60 kB: ten cards with everything that cards carry.
pub(crate) fn cards() -> Sample {
    let mut cards = Vec::new();
    for number in 0..10_u64 {
        let id = 5_368_147_993_432_065 - number * 50_000_000_000;
        let picture = |at: u64| {
            let address = format!("https://img.example/{{}}/{id}{at}.jpg");
            let geometry = serde_json::json!({ "width": 360, "height": 270 + at, "croped": false });
            serde_json::json!({
                "pid": format!("{id}{at}"), "url": address.replace("{}", "orj360"), "size": "orj360",
                "geo": geometry,
                "large": { "size": "large", "url": address.replace("{}", "large"), "geo": geometry },
            })
        };
        cards.push(serde_json::json!({
            "card_type": 9, "itemid": format!("1076039990000001_-_{id}"), "show_type": 0,
            "scheme": format!("https://m.weibo.cn/status/{id}?mblogid={id}&luicode=10000011"),
            "mblog": {
                "created_at": format!("Fri Nov {:02} 20:1{number}:00 +0800 2026", 27 - number),
                "id": id.to_string(), "idstr": id.to_string(), "mid": id.to_string(), "can_edit": false,
                "show_additional_indication": 0,
                "text": format!("【{}】{}<a  href=\"https://m.weibo.cn/search?containerid=231522\" data-hide=\"\"><span class=\"surl-text\">#海岚天气#</span></a>", words(number as usize, 16), words(number as usize * 5, 120)),
                "textLength": 280, "source": "海岚发布", "favorited": false, "pic_types": "0,0,0",
                "is_paid": false, "mblog_vip_type": 0, "reposts_count": 3 * number,
                "comments_count": 5 * number, "attitudes_count": 17 * number, "pending_approval_count": 0,
                "isLongText": true, "reward_exhibition_type": 0, "hide_flag": 0, "mlevel": 0,
                "darwin_tags": [], "mblogtype": 0, "rid": format!("{number}_0_50_{id}"), "cardid": "",
                "number_display_strategy": { "apply_scenario_flag": 3, "display_text_min_number": 1_000_000, "display_text": "100万+" },
                "content_auth": 0, "safe_tags": 0, "comment_manage_info": { "comment_permission_type": -1, "approval_comment_type": 0 },
                "pic_num": 6, "pics": (0..6).map(picture).collect::<Vec<_>>(), "bid": format!("Qf04p{number}"),
                "visible": { "type": 0, "list_id": 0 }, "mblog_menu_new_style": 0,
                "edit_config": { "edited": false }, "pic_ids": (0..6).map(|at| format!("{id}{at}")).collect::<Vec<_>>(),
                "thumbnail_pic": format!("https://img.example/thumbnail/{id}.jpg"),
                "bmiddle_pic": format!("https://img.example/bmiddle/{id}.jpg"),
                "original_pic": format!("https://img.example/large/{id}.jpg"),
                "user": {
                    "id": 9_990_000_001_u64, "screen_name": "海岚发布", "profile_url": "https://m.weibo.cn/u/9990000001?uid=9990000001",
                    "profile_image_url": "https://img.example/crop.0.0.180.180/9990000001.jpg", "statuses_count": 1284,
                    "verified": true, "verified_type": 1, "verified_type_ext": 50, "verified_reason": "海岚市人民政府新闻办公室官方微博",
                    "close_blue_v": false, "description": words(3, 40), "gender": "m", "mbtype": 12, "urank": 48, "mbrank": 6,
                    "follow_me": false, "following": false, "follow_count": 88, "followers_count": 23456, "followers_count_str": "2.3万",
                    "cover_image_phone": "https://img.example/crop.0.0.640.640/cover.jpg", "avatar_hd": "https://img.example/avatar.jpg",
                    "like": false, "like_me": false, "badge": { "enterprise": 1, "dailv": 1, "user_name_certificate": 1, "pc_new": 6 },
                },
            },
        }));
    }
    let answer = serde_json::json!({ "ok": 1, "data": {
        "cardlistInfo": { "containerid": "1076039990000001", "v_p": 42, "show_style": 1, "total": 1284, "page": 2 },
        "cards": cards, "scheme": "sinaweibo://cardlist", "showAppTips": 0,
    } });
    Sample {
        name: "JSON, a timeline of cards",
        platform: "weibo",
        kind: "timeline",
        url: "https://m.weibo.cn/api/container/getIndex",
        body: serde_json::to_string_pretty(&answer).unwrap_or_default(),
        posts: 10,
    }
}

/// So many characters of made-up text.
fn words(seed: usize, length: usize) -> String {
    const WORDS: [&str; 24] = [
        "全市",
        "召开",
        "安全生产",
        "工作会议",
        "部署",
        "近期",
        "重点",
        "任务",
        "推进",
        "老旧小区",
        "改造",
        "方案",
        "群众",
        "办事",
        "服务",
        "中心",
        "调整",
        "时间",
        "关于",
        "开展",
        "专项",
        "检查",
        "的",
        "通知",
    ];
    let mut state = seed as u64 * 2_654_435_761 + 12_345;
    let mut text = String::new();
    while text.chars().count() < length {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[(state >> 33) as usize % WORDS.len()]);
    }
    text.chars().take(length).collect()
}
