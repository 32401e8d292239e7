// The texts of the pages in Chinese and English, and the switch between the two. What is said of findings is the server's: it lies in the page.

const KEPT = "liangku.language";

const WORDS = {
  product: ["两库 · 用药核对", "Liangku · counter check"],
  counter: ["核对台", "Counter"],
  ledger: ["红黄蓝台账", "Ledger"],
  pages: ["页面", "Pages"],
  switch: ["English", "中文"],
  skip: ["跳到项目输入", "Skip to the items"],
  ask: ["填写", "Ask"],
  result: ["结果", "Result"],

  whom: ["1 给谁用", "1 Who is it for?"],
  whom_self: ["持卡人本人", "The card holder"],
  whom_child: ["孩子", "A child"],
  whom_other: ["其他家人或他人", "Somebody else"],
  card: ["用谁的医保凭证结算", "Whose insurance credential pays?"],
  card_holder: ["来人（持卡人）的", "The card holder's"],
  card_own: ["用药人本人的", "The user's own"],

  patient: ["2 用药人", "2 The person who takes it"],
  insured: ["持卡人（参保人），知道就填", "The card holder (insured), if known"],
  sex: ["性别", "Sex"],
  male: ["男", "Male"],
  female: ["女", "Female"],
  birth: ["出生日期或年龄", "Birth date or age"],
  birth_hint: ["19900501、36、8个月", "19900501, 36, 8个月"],
  user: ["用药人", "the user"],
  birth_is: ["{birth} 出生", "born {birth}"],
  age_is_year: ["{age} 周岁", "{age} years old"],
  age_is_month: ["{age} 个月", "{age} months old"],
  age_is_day: ["{age} 天", "{age} days old"],
  birth_half: ["还没写完：8 位日期（19900501），或年龄（36、8个月、10天、1岁半）。", "Not whole yet: a date of 8 digits (19900501), or an age (36, 8个月, 10天)."],
  birth_bad: ["看不懂：请写 8 位日期（19900501），或年龄（36、8个月、10天、1岁半）。", "Not readable: write a date of 8 digits (19900501), or an age (36, 8个月, 10天)."],
  birth_future: ["出生日期在今天之后，请核对。", "The birth date lies in the future: please check it."],
  id_number: ["或 身份证号、永久居留证号", "or ID number, permanent residence card"],
  id_hint: ["只在本机读取，不发送、不保存。", "Read here only; neither sent nor kept."],
  id_read: ["已读出性别和出生日期，号码已清除。", "Sex and birth date were read; the number is cleared."],
  id_length: ["身份证号应为 18 位（17 位数字，末位为数字或 X）或旧的 15 位数字。", "An ID number has 18 characters (17 digits, then a digit or X), an old one 15 digits."],
  id_date: ["号码中的出生日期不是日期，请核对。", "The birth date in it is no date: please check."],
  id_check: ["校验码不对，请核对。", "The check character is wrong: please check."],
  card_read: ["已读出出生日期，号码已清除；请选择性别。", "The birth date was read and the number cleared; choose the sex."],
  card_century: ["外国人永久居留证：看不出性别和出生的世纪，号码已清除；请填写性别和出生日期。", "Permanent residence card: it tells neither sex nor century; the number is cleared. Give sex and birth date."],
  insurance_code: [
    "这是医保码：没有医保部门的接口读不出是谁，号码已清除，没有发送。请问清性别和出生日期。",
    "This is an insurance code [医保码]: without the insurer's interface it does not tell whose it is. It is cleared and was not sent. Ask for sex and birth date.",
  ],
  passport: ["护照或旅行证件：读不出性别和出生日期，号码已清除，没有发送。请看证件填写性别和出生日期。", "A passport tells neither sex nor birth date; it is cleared and was not sent. Take both from the document."],
  found_whose: ["读到一个证件号（{sex} {birth} 出生），号码已清除，没有发送。是谁的？", "An ID number was read ({sex} born {birth}); it is cleared and was not sent. Whose is it?"],
  found_wrong: ["像身份证号，但校验码不对；已清除，没有发送。请重新扫描到身份证号一栏。", "It looks like an ID number, but its check character is wrong. It is cleared and was not sent: scan it again into the field for it."],
  found_patient: ["用药人", "the user's"],
  found_insured: ["持卡人", "the card holder's"],
  found_code: ["是项目编码", "the code of an item"],
  found_nobody: ["都不是", "nobody's"],
  found_close: ["知道了", "OK"],
  personal_kept: ["里面有证件号码，没有发送。请删去证件号码。", "It holds the number of a person and was not sent: take it out."],
  operator_personal: ["请写姓名或工号，不要写证件号；号码没有发送。", "Give a name or number of staff, not an ID number; it was not sent."],
  newborn: ["新生儿（登记的可能是母亲）", "Newborn (the record may be the mother's)"],

  items: ["3 项目", "3 Items"],
  item: ["扫码（追溯码、条码），或输入编码、名称、拼音首字母", "Scan (trace code, barcode), or type a code, name or pinyin initials"],
  item_hint: ["可以连续扫；输入后按 ↓ 选择、回车加入。", "Scan one after the other; after typing, choose with ↓ and add with Enter."],
  item_add: ["加入", "Add"],
  item_list: ["已加入的项目", "Items added"],
  item_none: ["还没有项目。", "No item yet."],
  item_added: ["已加入：{item}", "Added: {item}"],
  item_removed: ["已移除：{item}", "Removed: {item}"],
  item_twice: ["{item} 已在列表里。", "{item} is already in the list."],
  item_remove: ["移除", "Remove"],
  item_remove_one: ["移除 {item}", "Remove {item}"],
  item_empty: ["请先输入或扫描一个项目。", "Type or scan an item first."],
  item_pick: ["有 {total} 个相近的受限项目：用 ↓ 选择，按回车加入。", "{total} restricted items are near: choose with ↓, add with Enter."],
  item_unknown: [
    "受限项目里没有“{text}”这个名称。名称对不上不等于不受限：请扫码，或输入完整的国家医保编码。",
    "No restricted item is named “{text}”. That does not mean it is unrestricted: scan it, or type the full national code.",
  ],
  item_short: [
    "“{text}”不是完整的国家医保编码，受限项目里也没有以它开头的：请扫码，或输入完整编码。",
    "“{text}” is no full national code and no restricted one begins with it: scan it, or type the full code.",
  ],
  item_near: ["相近的受限项目：", "Restricted items near it:"],
  item_barcode: ["条码的校验位不对，请重新扫描。", "The check digit of the barcode is wrong: scan it again."],
  item_shape: ["“{text}”不像国家医保编码：有的位置应是字母或数字，请核对。", "“{text}” is not shaped like a national code: check its letters and digits."],
  item_approval_bare: ["批准文号请写全，例如 国药准字H20051234；通行证读不出性别和出生日期，请另行填写。没有发送。", "Write a number of approval in full, such as 国药准字H20051234. A permit tells neither sex nor birth date. Nothing was sent."],
  item_number: ["这个号码不是追溯码（20 位）、条码（13 位）或国家医保编码，请核对；没有发送。", "This number is neither a trace code (20 digits), a barcode (13) nor a national code: check it. It was not sent."],
  row_waiting: ["等待识别", "waiting"],
  row_looking: ["正在识别", "looking up"],
  row_choose: ["还不知道是什么", "not known yet"],
  row_unknown: ["还不认识", "not known yet"],
  row_failed: ["没有查到", "look-up failed"],
  row_retry: ["重试", "Try again"],
  row_link: ["它是什么？", "What is it?"],
  row_trade: ["是商品名", "It is a trade name"],
  row_named: ["不在受限项目中，按名称加入", "Not a restricted item: add by name"],
  row_relink: ["更改关联", "Change"],
  row_relink_one: ["更改 {item} 的关联", "Change what {item} is linked to"],
  row_via: ["关联人：{by}", "linked by {by}"],
  light_violation: ["违规", "violation"],
  light_confirm: ["需确认", "confirm"],
  light_own_card: ["换用本人凭证", "own credential"],
  light_notice: ["有提示", "notice"],
  light_settled: ["已写明理由", "reason given"],
  light_undetermined: ["无法判断", "undetermined"],
  light_unjudged: ["没有判断", "not judged"],
  light_not_restricted: ["不在受限项目中", "not a restricted item"],
  light_named: ["不在受限项目中（按名称）", "not a restricted item (by name)"],
  light_self_paid: ["自费，未判断", "self-paid, not judged"],
  light_nothing: ["没有发现问题", "nothing found"],
  light_waiting: ["还没有核对", "not checked yet"],
  link_title_trace: ["追溯码 {code} 还不认识", "Trace code {code} is not known yet"],
  link_title_barcode: ["条码 {code} 还不认识", "Barcode {code} is not known yet"],
  link_title_approval: ["批准文号 {code} 还不认识", "Number of approval {code} is not known yet"],
  link_title_name: ["“{code}”是哪个项目的商品名", "Which item has the trade name “{code}”?"],
  link_ask: ["请在下面的输入框里输入编码或选择名称；确认以后，再扫就认识了。", "Give its code or choose its name in the field below; once confirmed it is known from then on."],
  link_now: ["现在关联到 {item}（{by}，{at}）", "Now linked to {item} ({by}, {at})"],
  link_confirm: ["{code} 是“{item}”，对吗？", "{code} is “{item}”: is that right?"],
  link_replace: ["已经由 {by} 关联到“{item}”：要改，请再按一次“记住并加入”。", "{by} linked it to “{item}”: press again to change that."],
  link_keep: ["记住并加入（Alt+K）", "Remember and add (Alt+K)"],
  link_once: ["只加入这一次", "Add this once"],
  link_apart: ["是两样东西，分开加入", "These are two things"],
  link_undo: ["撤销关联", "Take the link back"],
  link_cancel: ["不关联", "Do not link"],
  linked: ["已记住：{code} 是 {item}。", "Remembered: {code} is {item}."],
  options: ["可选的项目", "Matching items"],
  options_count: ["{total} 个结果", "{total} results"],
  not_in_force: ["未生效", "not in force"],
  tag_self_paid: ["自费", "self-paid"],

  more: ["更多（诊断、环节、就诊号、参保地）", "More (diagnoses, stage, visit, place of insurance)"],
  region: ["参保地（外地顾客，6 位区划代码）", "Place of insurance (6 digits, customers from elsewhere)"],
  diagnoses: ["诊断编码（多个用空格隔开）", "Diagnosis codes (separated by spaces)"],
  stage: ["环节", "Stage"],
  stage_prescribe: ["开方", "Prescribing"],
  stage_dispense: ["售药、发药", "Dispensing"],
  stage_settle: ["结算", "Settlement"],
  visit: ["就诊号、流水号", "Visit or sale number"],
  check: ["核对", "Check"],
  new_case: ["下一位", "Next person"],
  shortcuts: ["快捷键", "Shortcuts"],
  go_item: ["项目", "items"],
  go_override: ["写理由", "reason"],

  conclusion_idle: ["还没有核对", "Not checked yet"],
  idle_whom: ["请先选“给谁用”。", "Say first who it is for."],
  idle_person: ["请补上用药人的性别和出生日期（或周岁）；问不到时按“核对”。", "Give the user's sex and birth date (or age); if they cannot be had, press “Check”."],
  idle_item: ["请加入至少一个项目。", "Add at least one item."],
  idle_birth: ["出生日期或年龄没有写完或看不懂，请改正。", "The birth date or age is half or not readable: please correct it."],
  idle_typing: ["年龄写完请按回车。", "Press Enter when the age is complete."],
  idle_id: ["身份证号没有写完或不对，请改正或清空。", "The ID number is half or wrong: correct or clear it."],
  idle_personal: ["输入框里有证件号码，正在读取。", "A field holds the number of a person: it is being read."],
  idle_found: ["读到一个证件号，请先说明是谁的。", "An ID number was read: say first whose it is."],
  idle_field: ["“更多”里有一栏正在输入，写完请按回车。", "A field under “More” is being typed: press Enter when it is complete."],
  idle_region: ["参保地应为 6 位区划代码，请改正或清空。", "The place of insurance has 6 digits: correct or clear it."],
  idle_pending: ["有项目还不知道是什么，请先处理。", "Some items are not known yet: settle them first."],
  looking: ["正在识别项目……", "Looking up the items…"],
  conclusion_notice_partly: ["受限项目有提示", "Notices on the restricted items"],
  explanation_notice_partly: ["请留意提示的内容；其余项目不在受限项目中，没有判断。", "Take note of what they say; the others are not among the restricted items and were not judged."],
  conclusion_named: ["受限项目没有发现问题", "Nothing found in the restricted items"],
  explanation_named: ["其余项目按名称录入，不在受限项目中，没有编码可核对。", "The others were entered by name: not among the restricted items, and no code to check that."],
  conclusion_checking: ["正在核对……", "Checking…"],
  conclusion_own_card: ["需要确认：换用本人凭证", "Confirm: use the person's own credential"],
  explanation_own_card: [
    "用药人符合规则，但所用的不是他本人的医保凭证；请换用本人的医保码再结算。",
    "The rules have nothing against this person, but the credential is somebody else's; settle with the person's own code.",
  ],
  conclusion_settled: ["已写明理由，可以继续", "Reasons recorded: you may go on"],
  explanation_settled: ["需要理由的提醒都已记录，留存备查。", "Every alert that needs a reason has one on record."],
  conclusion_not_reviewed: ["本次未审核", "Not reviewed"],
  explanation_not_reviewed: ["系统没有完成判断，不能当作通过。请按本单位流程处理，或稍后重新核对。", "The system did not finish: this is no pass. Follow your own procedure, or check again later."],
  ticket: ["待补审编号 {ticket}", "Ticket {ticket}"],
  conclusion_error: ["没有核对成功", "The check failed"],
  explanation_error: ["不能当作通过。请改正后重试，或按本单位流程处理。", "This is no pass. Correct it and try again, or follow your own procedure."],
  retry: ["重新核对", "Check again"],

  field_why: ["原因", "Why"],
  field_who: ["对象", "Who"],
  field_basis: ["依据", "Basis"],
  field_note: ["备注", "Note"],
  field_do: ["处理", "Do"],
  who_limit: ["{person}：{actual}（限：{expected}）", "{person}: {actual} (limit: {expected})"],
  point: ["知识点 {point}", "point {point}"],

  way_title: ["怎么办", "What to do"],
  way_own_child: ["出示孩子本人的医保码（亲情账户/家庭共济）", "Show the child's own insurance code (family account)"],
  way_own_other: ["出示用药人本人的医保码（亲情账户/家庭共济）", "Show the user's own insurance code (family account)"],
  way_own_say: [
    "请顾客在医保 App 的“亲情账户”里打开用药人的医保码；家人的个人账户可以用家庭共济付自付部分。",
    "The customer opens the user's code under “family account” in the insurance app; a relative's personal account may pay the user's own share.",
  ],
  way_own_self: [
    "如果其实是给孩子或家人用的：把“给谁用”改过来，并请出示他本人的医保码。",
    "If it is really for a child or relative: change “Who is it for?” and ask for that person's own code.",
  ],
  way_own_done: ["已换用本人凭证，重新核对", "Now the own credential: check again"],
  way_self_paid: ["自费购买（不走医保）", "Pay without insurance"],
  way_self_paid_say: ["顾客仍要买的，按自费收款，不上传医保结算。", "If the customer still wants it, charge it privately; it is not sent to the insurance."],
  way_self_paid_done: ["改为自费", "Make it self-paid"],
  way_doctor: ["联系开方医生", "Call the prescriber"],
  way_doctor_say: ["处方药请医生核对用药人和诊断，改方或写明理由。", "The prescriber checks person and diagnosis, changes the prescription or records the reason."],
  way_doctor_done: ["不用这一项", "Take the item off"],
  way_script: ["告诉顾客的话术", "Words for the customer"],
  script_violation: [
    "您好，按医保规定，{message}{level}{way}给您添麻烦了，谢谢理解。",
    "Under the insurance rules: {message} {level} {way} We are sorry for the trouble.",
  ],
  script_definite: ["这次不能用医保结算。", "The insurance cannot pay for it this time."],
  script_suspect: ["需要先核实才能用医保结算。", "It has to be confirmed before the insurance can pay."],
  script_notice: ["请您留意是否合适。", "Please make sure that it is right for you."],
  script_own: ["如果是给{whom}用的，请出示{whom}本人的医保码；也可以自费购买。", "If it is for {whom}, please show {whom}'s own insurance code; you may also pay for it privately."],
  script_else: ["如果是给家人用的，请出示家人本人的医保码；也可以自费购买，或请开方医生核对。", "If it is for a relative, please show the relative's own insurance code; you may also pay privately or ask your doctor."],
  script_undetermined: [
    "您好，{item}有使用人群的规定，为了给您正确结算，请问是给谁用的？麻烦告诉我使用人的性别和出生日期。",
    "{item} is limited to certain people. So that we settle it correctly: who is it for? Please tell me that person's sex and birth date.",
  ],
  script_child: ["孩子", "the child"],
  script_user: ["用药人", "the user"],

  decide: ["仍要继续：写明理由", "Go on all the same: give the reason"],
  reason: ["理由", "Reason"],
  reason_choose: ["请选择理由", "Choose a reason"],
  reason_text: ["补充说明", "In words"],
  reason_text_must: ["说明（必填）", "In words (required)"],
  operator: ["操作员姓名或工号", "Operator"],
  second_operator: ["复核员（另一人）", "Second operator (another person)"],
  second_pin: ["复核员 PIN（由本人输入）", "The second operator's PIN"],
  two_person: ["明确违规的，须由另一人复核才能继续。", "A definite violation needs a second person to go on."],
  decide_go: ["记录理由并继续", "Record the reason and go on"],
  need_reason: ["请选择理由。", "Choose a reason."],
  need_text: ["选择“其他”时请写明理由。", "With “other”, write the reason."],
  need_operator: ["请填写操作员姓名或工号。", "Give the operator."],
  need_second: ["请填写复核员，须是另一人。", "Give a second operator, another person."],
  need_pin: ["请复核员本人输入 PIN。", "The second operator types the PIN."],
  contradicts_verified_person: [
    "现在填写的是 {actual}，规则限 {expected}：填错了请先改正用药人。确实要记录这个理由，请再按一次。",
    "The person given here is {actual}, the limit is {expected}: if that is wrong, correct the person. To record this reason all the same, press again.",
  ],
  contradicts_relative_use: [
    "现在填写的不是用药人本人的凭证：已换用的，请先改“用谁的医保凭证”。确实要记录这个理由，请再按一次。",
    "The credential given here is not the user's own: if it was changed, say so above. To record this reason all the same, press again.",
  ],
  card_continued: ["已写明理由，继续（原为{was}）", "Going on with a reason (was: {was})"],
  done_continue: ["已记录：继续", "Recorded: go on"],
  done_own_card: ["已换用本人凭证", "now the own credential"],
  done_self_paid: ["已改为自费", "now self-paid"],
  done_removed: ["不用这一项", "taken off"],
  done_list: ["本次已处理", "Dealt with so far"],
  feedback_unknown: ["服务器没有这条提醒的记录，请重新核对后再记录。", "The server does not know this alert: check again, then record it."],

  checked_lines: ["共判断 {lines} 项；知识库 {version}；{time}", "{lines} item(s) judged; knowledge {version}; {time}"],
  note_deprecated: ["{item}：规则“{rule}”已停用，它的知识点未判断。", "{item}: the rule “{rule}” is deprecated; its points are not judged."],
  note_not_in_scope: ["{item}：没有医保范围内的金额（全自费），规则“{rule}”不适用。", "{item}: wholly self-paid, so that rule “{rule}” does not apply."],
  note_not_in_force: ["{item}：规则“{rule}”的知识点在这一天或这个地区没有生效，未判断。", "{item}: the points of rule “{rule}” are not in force on this day or in this region: not judged."],
  note_ignored: ["没有用到的字段：{keys}", "Keys that nothing reads: {keys}"],
  note_acknowledged: ["{count} 条提醒在本次就诊中已经写明理由，不再重复。", "{count} alert(s) already have a reason on record in this visit and are not repeated."],
  note_pending: ["“{text}”还没有处理完，未判断。", "“{text}” is not settled yet: not judged."],
  note_holder_unknown: ["持卡人的性别、出生日期没有填全：按参保人判断的规则可能没有看到他的信息。", "The card holder's sex and birth date are not complete: rules that look at the insured may not have seen them."],
  note_not_restricted: ["不在受限项目中，能不能用没有判断：{items}。", "Not among the restricted items, use not judged: {items}."],
  note_named: ["按名称录入，不在受限项目中，没有编码可核对：{items}。", "Entered by name, not among the restricted items, no code to check: {items}."],

  print: ["打印提示单", "Print the slip"],
  slip: ["用药提示单", "Reminder slip"],
  slip_items: ["项目", "Items"],
  slip_verdict: ["结论", "Verdict"],
  slip_time: ["时间", "Time"],
  slip_person: ["用药人", "For"],
  slip_knowledge: ["知识库", "Knowledge"],
  slip_decision: ["本次处理", "Decision"],
  slip_sign_customer: ["顾客签字：", "Customer:"],
  slip_sign_operator: ["操作员：", "Operator:"],
  slip_sign_pharmacist: ["药师（复核）：", "Pharmacist (second):"],
  slip_foot: ["本单不含姓名和证件号。提示依据国家医保局公布的规则与知识点，不替代医师和药师的判断。", "No name or ID number stands on this slip. It rests on published rules and does not replace the judgment of doctor or pharmacist."],

  net_failed: ["连不上服务器（网络中断或服务没有启动）。", "The server cannot be reached (no network, or it is not running)."],
  net_slow: ["服务器没有按时回答。", "The server did not answer in time."],
  http_failed: ["服务器回答 {status}。", "The server answered {status}."],
  not_json: ["服务器的回答看不懂。", "The server's answer is not readable."],
  other_answer: ["服务器回答的不是这次问的内容。", "The server answered another question."],
  key_title: ["需要访问密钥", "An access key is needed"],
  key_say: ["这台服务器要求密钥。向管理员索取；只保存在这个窗口里，关闭即清除。", "This server asks for a key. Ask the administrator; it is kept in this window only."],
  key_wrong: ["密钥不对，请核对。", "This key is not right: please check it."],
  key: ["密钥", "Key"],
  key_go: ["确定", "OK"],
  cancel: ["取消", "Cancel"],

  ledger_title: ["红黄蓝台账：今天有效的知识点", "Ledger: knowledge points in force today"],
  filter: ["筛选（名称、编码、知识点、限定）", "Filter (name, code, point, limit)"],
  filter_rule: ["规则", "Rule"],
  filter_level: ["级别", "Level"],
  all: ["全部", "All"],
  count: ["{shown} / {total} 条", "{shown} of {total}"],
  loading: ["正在读取……", "Loading…"],
  export: ["导出 CSV", "Export CSV"],
  print_ledger: ["打印", "Print"],
  col_level: ["级别", "Level"],
  col_item: ["项目", "Item"],
  col_rule: ["规则", "Rule"],
  col_limit: ["限定", "Limit"],
  col_subject: ["看谁", "Whose"],
  col_codes: ["编码（前段）", "Codes (families)"],
  col_published: ["编码数", "Codes"],
  col_from: ["生效", "From"],
  col_to: ["失效", "To"],
  col_source: ["依据", "Source"],
  col_point: ["知识点", "Point"],
  col_document: ["文件", "Document"],
  more_codes: ["共 {count} 个", "{count} in all"],
  documents: ["依据文件", "Documents"],
  ledger_table: ["知识点列表", "List of points"],
  ledger_failed: ["台账没有读到", "The ledger could not be read"],
};

// The server's catalogue by kind and code: `remark_duplicate` and the like.
for (const [kind, words] of Object.entries(JSON.parse(document.getElementById("catalogue").textContent))) {
  for (const [code, { zh, en }] of Object.entries(words)) WORDS[`${kind}_${code}`] = [zh, en];
}

let english = localStorage.getItem(KEPT) === "en";

/** The language of the page: "zh" or "en". */
export const language = () => (english ? "en" : "zh");

/** A text in the language of the page, its {places} filled. */
export function say(key, values = {}) {
  return WORDS[key][Number(english)].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Whether there is a text of this name. */
export const hasWords = (key) => Object.hasOwn(WORDS, key);

/** Several things in a row, as the language writes them. */
export const listed = (texts) => texts.join(english ? ", " : "、");

/** Puts the words of the language into every element that names one, and the language into the document. */
export function applyWords(root = document) {
  document.documentElement.lang = english ? "en" : "zh-CN";
  for (const node of root.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const node of root.querySelectorAll("[data-say-hint]")) node.placeholder = say(node.dataset.sayHint);
  for (const node of root.querySelectorAll("[data-say-label]")) node.setAttribute("aria-label", say(node.dataset.sayLabel));
}

/** Makes a button switch the language; `changed` is called after the static texts have changed. */
export function languageSwitch(button, changed) {
  const show = () => {
    applyWords();
    button.textContent = say("switch");
    button.lang = english ? "zh-CN" : "en";
  };
  button.addEventListener("click", () => {
    english = !english;
    localStorage.setItem(KEPT, english ? "en" : "zh");
    show();
    changed();
  });
  show();
}
