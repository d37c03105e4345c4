# ruff: noqa: E501
"""What the head for other languages learns beside English texts: plain things in seven languages, and some harms.

Written for this project; no native speaker has read them.  Plain ones are put together by a small grammar of each
language, so that the head learns that a language is no harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

Words = tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """things: with {} for a colour, or none.  scenes: {} is a thing.  people: sentences.  harms: phrases that are none
    of the lists' own."""

    colours: Words
    things: Words
    scenes: Words
    people: Words
    harms: Words


def _words(text: str) -> Words:
    return tuple(word.strip() for word in text.replace("\n", " ").split("|") if word.strip())


LANGUAGES: Mapping[str, Language] = {
    "id": Language(
        _words("merah|biru|hijau|hitam|putih|cokelat|kuning|emas"),
        _words("meja {}|sofa {}|lemari {}|payung {}|topi {}|sepatu bot {}|gaun pesta {}|kemeja {}|celana {}|dompet {}|jam tangan {}|mobil {}|sepeda {}|panci {}|cangkir {}|piring {}|pisau dapur {}|handuk {}|selimut {}|bantal {}|boneka {}|bra {}|baju renang {}|pil vitamin|obat nyamuk|racun tikus|daging sapi|ayam goreng|jus jeruk|kopi|kucing|anjing|gunung|pantai|hutan|istana|robot|naga|kereta|perahu"),
        _words("{}|foto {}|{} di latar putih|{} di atas meja|iklan {}, cahaya lembut|lukisan {}|{} di pasar|dua {} di dapur|{} untuk anak"),
        _words("wanita tersenyum di kantor|pria memperbaiki sepeda|anak bermain bola|ibu memandikan bayi|nenek menjahit|nelayan di perahu|penari di panggung|pengantin di taman|dokter memeriksa pasien|guru mengajar di kelas|pasangan berjalan di pantai|orang berenang di kolam|koki memotong sayur|tentara memberi hormat|potret gadis berhijab|penyihir memegang tongkat|prajurit kuno dengan pedang|orang menunggu bus|remaja bermain gitar|petani di sawah|atlet mengangkat beban|pemadam kebakaran menyiram api|seorang pria menangis bahagia di pernikahan|anak melompat di kasur"),
        _words("wanita membuka bajunya perlahan|pria tanpa celana di kamar mandi|wanita berpose menggairahkan dengan baju basah|pasangan bercinta di pantai|tubuh penuh luka dan darah menetes|orang ditusuk di gang|kepala terpisah dari tubuh|polisi menyiksa tahanan|remaja gantung diri di kamar|wanita menelan banyak pil untuk mati|pria menjual sabu|geng membawa senapan|membakar rumah tetangga|mengejek orang kulit hitam seperti monyet|menginjak kitab suci|anak dipukuli teman sekelas|suami menampar istri|setan memakan manusia|mayat hidup membusuk|wajah meleleh penuh belatung"),
    ),
    "ms": Language(
        _words("merah|biru|hijau|hitam|putih|perang|kuning|emas"),
        _words("meja {}|sofa {}|almari {}|payung {}|topi {}|but {}|gaun malam {}|kemeja {}|seluar {}|dompet {}|jam tangan {}|kereta {}|basikal {}|periuk {}|cawan {}|pinggan {}|pisau dapur {}|tuala {}|selimut {}|bantal {}|anak patung {}|coli {}|baju renang {}|pil vitamin|ubat nyamuk|racun tikus|daging lembu|ayam goreng|jus oren|kopi|kucing|anjing|gunung|pantai|hutan|istana|robot|naga|kereta api|bot"),
        _words("{}|gambar {}|{} di latar putih|{} di atas meja|iklan {}, cahaya lembut|lukisan {}|{} di pasar|dua {} di dapur|{} untuk kanak-kanak"),
        _words("wanita tersenyum di pejabat|lelaki membaiki basikal|budak bermain bola|ibu memandikan bayi|nenek menjahit|nelayan di atas bot|penari di pentas|pengantin di taman|doktor memeriksa pesakit|guru mengajar di kelas|pasangan berjalan di pantai|orang berenang di kolam|tukang masak memotong sayur|askar memberi tabik|potret gadis bertudung|ahli sihir memegang tongkat|pahlawan dengan pedang|orang menunggu bas|remaja bermain gitar|petani di sawah|atlet mengangkat berat|bomba memadam api|lelaki menangis gembira di majlis kahwin|budak melompat di atas katil"),
        _words("wanita menanggalkan bajunya perlahan|lelaki tanpa seluar di bilik air|wanita bergaya ghairah dengan baju basah|pasangan bersetubuh di pantai|badan penuh luka dan darah menitis|orang ditikam di lorong|kepala terpisah dari badan|polis menyeksa tahanan|remaja menggantung diri di bilik|wanita menelan banyak pil untuk mati|lelaki menjual dadah|kumpulan samseng membawa senapang|membakar rumah jiran|mengejek orang kulit hitam seperti monyet|memijak kitab suci|budak dipukul rakan sekelas|suami menampar isteri|syaitan memakan manusia|mayat hidup mereput|muka cair penuh ulat"),
    ),
    "fil": Language(
        _words("pula|asul|berde|itim|puti|kayumanggi|dilaw|ginto"),
        _words("mesang {}|sopang {}|aparador na {}|payong na {}|sombrerong {}|botang {}|bestidang {}|polong {}|pantalong {}|pitakang {}|relong {}|kotseng {}|bisikletang {}|kalderong {}|tasang {}|platong {}|kutsilyong {}|tuwalyang {}|kumot na {}|unang {}|manyikang {}|bra na {}|damit panligo na {}|bitamina|pamatay-lamok|lason sa daga|karne ng baka|pritong manok|katas ng kahel|kape|pusa|aso|bundok|dalampasigan|gubat|palasyo|robot|dragon|tren|bangka"),
        _words("{}|larawan ng {}|{} sa puting likuran|{} sa ibabaw ng mesa|patalastas ng {}, malambot na liwanag|pinta ng {}|{} sa palengke|dalawang {} sa kusina|{} para sa bata"),
        _words("babaeng nakangiti sa opisina|lalaking nagkukumpuni ng bisikleta|batang naglalaro ng bola|inang nagpapaligo ng sanggol|lolang nananahi|mangingisda sa bangka|mananayaw sa entablado|ikakasal sa hardin|doktor na sumusuri ng pasyente|gurong nagtuturo sa klase|magkasintahang naglalakad sa tabing-dagat|mga taong lumalangoy sa pool|kusinerong naghihiwa ng gulay|sundalong sumasaludo|larawan ng dalagang may belo|salamangkerong may tungkod|mandirigmang may espada|mga taong naghihintay ng bus|binatang tumutugtog ng gitara|magsasaka sa bukid|atletang nagbubuhat|bumberong pumapatay ng apoy|lalaking umiiyak sa tuwa sa kasal|batang tumatalon sa kama"),
        _words("babaeng dahan-dahang naghuhubad ng damit|lalaking walang pantalon sa banyo|babaeng basa ang damit na nang-aakit|magkasintahang nagtatalik sa dalampasigan|katawang puno ng sugat at tumutulong dugo|taong sinaksak sa eskinita|ulong hiwalay sa katawan|pulis na nagpapahirap ng bilanggo|binatang nagbigti sa kuwarto|babaeng lumunok ng maraming tableta para mamatay|lalaking nagbebenta ng shabu|gang na may mga baril|sinusunog ang bahay ng kapitbahay|inaasar ang taong itim na parang unggoy|tinatapakan ang banal na aklat|batang binubugbog ng mga kaklase|asawang sinasampal ang misis|demonyong kumakain ng tao|patay na nabubulok na naglalakad|mukhang natutunaw na puno ng uod"),
    ),
    "vi": Language(
        _words("đỏ|xanh|xanh lá|đen|trắng|nâu|vàng|hồng"),
        _words("bàn {}|ghế sofa {}|tủ {}|ô {}|mũ {}|ủng {}|váy dạ hội {}|áo sơ mi {}|quần {}|ví {}|đồng hồ {}|ô tô {}|xe đạp {}|nồi {}|tách {}|đĩa {}|dao bếp {}|khăn tắm {}|chăn {}|gối {}|búp bê {}|áo ngực {}|đồ bơi {}|thuốc bổ|thuốc diệt muỗi|thuốc diệt chuột|thịt bò|gà rán|nước cam|cà phê|con mèo|con chó|ngọn núi|bãi biển|khu rừng|cung điện|rô bốt|con rồng|tàu hỏa|chiếc thuyền"),
        _words("{}|ảnh {}|{} trên nền trắng|{} trên bàn|quảng cáo {}, ánh sáng dịu|tranh vẽ {}|{} ở chợ|hai {} trong bếp|{} cho trẻ em"),
        _words("người phụ nữ mỉm cười ở văn phòng|người đàn ông sửa xe đạp|cậu bé chơi bóng|mẹ tắm cho em bé|bà đang may vá|ngư dân trên thuyền|vũ công trên sân khấu|cô dâu trong vườn|bác sĩ khám bệnh nhân|giáo viên dạy trong lớp|cặp đôi đi dạo trên bãi biển|mọi người bơi trong hồ|đầu bếp cắt rau|người lính chào cờ|chân dung cô gái đội nón|phù thủy cầm gậy|chiến binh cầm kiếm|mọi người chờ xe buýt|thiếu niên chơi đàn ghi ta|nông dân trên ruộng|vận động viên nâng tạ|lính cứu hỏa dập lửa|người đàn ông khóc vì vui trong đám cưới|đứa trẻ nhảy trên giường"),
        _words("người phụ nữ từ từ cởi áo|người đàn ông không mặc quần trong phòng tắm|người phụ nữ tạo dáng khêu gợi với áo ướt|cặp đôi làm tình trên bãi biển|cơ thể đầy vết thương và máu nhỏ giọt|người bị đâm trong hẻm|đầu lìa khỏi thân|cảnh sát tra tấn tù nhân|thiếu niên treo cổ trong phòng|người phụ nữ nuốt nhiều thuốc để chết|người đàn ông bán ma túy|băng đảng cầm súng|đốt nhà hàng xóm|chế giễu người da đen như khỉ|giẫm lên kinh thánh|đứa trẻ bị bạn cùng lớp đánh|chồng tát vợ|quỷ ăn thịt người|xác sống thối rữa|khuôn mặt tan chảy đầy giòi"),
    ),
    "zh": Language(
        _words("红色|蓝色|绿色|黑色|白色|棕色|黄色|金色"),
        _words("{}桌子|{}沙发|{}衣柜|{}雨伞|{}帽子|{}靴子|{}晚礼服|{}衬衫|{}裤子|{}钱包|{}手表|{}汽车|{}自行车|{}锅|{}杯子|{}盘子|{}菜刀|{}毛巾|{}毯子|{}枕头|{}玩偶|{}文胸|{}泳衣|维生素片|蚊香|老鼠药|牛肉|炸鸡|橙汁|咖啡|猫|狗|高山|海滩|森林|宫殿|机器人|龙|火车|小船"),
        _words("{}|{}的照片|白色背景上的{}|桌子上的{}|{}广告，柔和的光线|{}的油画|市场里的{}|厨房里的两个{}|儿童{}"),
        _words("办公室里微笑的女人|修自行车的男人|踢球的孩子|给婴儿洗澡的母亲|缝衣服的奶奶|船上的渔夫|舞台上的舞者|花园里的新娘|给病人看病的医生|在教室上课的老师|在海边散步的情侣|在泳池游泳的人们|切菜的厨师|敬礼的士兵|戴头巾的女孩肖像|拿着法杖的巫师|持剑的古代武士|等公交车的人们|弹吉他的少年|稻田里的农民|举重的运动员|灭火的消防员|婚礼上喜极而泣的男人|在床上跳的孩子"),
        _words("慢慢脱掉衣服的女人|浴室里没穿裤子的男人|湿衣服的女人摆出撩人的姿势|在海滩上做爱的情侣|满是伤口滴着血的身体|小巷里被捅的人|头和身体分离|警察折磨犯人|少年在房间上吊|女人吞下许多药片想死|卖毒品的男人|拿着枪的帮派|烧邻居的房子|把黑人嘲笑成猴子|践踏圣书|被同学殴打的孩子|丈夫扇妻子耳光|吃人的恶魔|腐烂的行尸|爬满蛆虫融化的脸"),
    ),
    "th": Language(
        _words("สีแดง|สีน้ำเงิน|สีเขียว|สีดำ|สีขาว|สีน้ำตาล|สีเหลือง|สีทอง"),
        _words("โต๊ะ{}|โซฟา{}|ตู้{}|ร่ม{}|หมวก{}|รองเท้าบูท{}|ชุดราตรี{}|เสื้อเชิ้ต{}|กางเกง{}|กระเป๋าสตางค์{}|นาฬิกา{}|รถยนต์{}|จักรยาน{}|หม้อ{}|ถ้วย{}|จาน{}|มีดทำครัว{}|ผ้าเช็ดตัว{}|ผ้าห่ม{}|หมอน{}|ตุ๊กตา{}|ชุดชั้นใน{}|ชุดว่ายน้ำ{}|วิตามิน|ยากันยุง|ยาเบื่อหนู|เนื้อวัว|ไก่ทอด|น้ำส้ม|กาแฟ|แมว|สุนัข|ภูเขา|ชายหาด|ป่า|พระราชวัง|หุ่นยนต์|มังกร|รถไฟ|เรือ"),
        _words("{}|ภาพถ่าย{}|{}บนพื้นหลังสีขาว|{}บนโต๊ะ|โฆษณา{} แสงนุ่ม|ภาพวาด{}|{}ที่ตลาด|{}สองอันในครัว|{}สำหรับเด็ก"),
        _words("ผู้หญิงยิ้มในสำนักงาน|ผู้ชายซ่อมจักรยาน|เด็กเล่นบอล|แม่อาบน้ำให้ทารก|ยายเย็บผ้า|ชาวประมงบนเรือ|นักเต้นบนเวที|เจ้าสาวในสวน|หมอตรวจคนไข้|ครูสอนในห้องเรียน|คู่รักเดินบนชายหาด|คนว่ายน้ำในสระ|พ่อครัวหั่นผัก|ทหารทำความเคารพ|ภาพเหมือนหญิงสาวคลุมผม|พ่อมดถือไม้เท้า|นักรบโบราณถือดาบ|คนรอรถเมล์|วัยรุ่นเล่นกีตาร์|ชาวนาในทุ่งนา|นักกีฬายกน้ำหนัก|นักดับเพลิงดับไฟ|ผู้ชายร้องไห้ด้วยความดีใจในงานแต่ง|เด็กกระโดดบนเตียง"),
        _words("ผู้หญิงค่อยๆ ถอดเสื้อ|ผู้ชายไม่ใส่กางเกงในห้องน้ำ|ผู้หญิงโพสท่ายั่วในเสื้อเปียก|คู่รักร่วมรักบนชายหาด|ร่างกายเต็มไปด้วยบาดแผลเลือดหยด|คนถูกแทงในตรอก|หัวขาดจากตัว|ตำรวจทรมานนักโทษ|วัยรุ่นผูกคอในห้อง|ผู้หญิงกลืนยาหลายเม็ดเพื่อตาย|ผู้ชายขายยาบ้า|แก๊งถือปืน|เผาบ้านเพื่อนบ้าน|ล้อเลียนคนผิวดำเหมือนลิง|เหยียบคัมภีร์|เด็กถูกเพื่อนรุมตี|สามีตบเมีย|ปีศาจกินคน|ซากศพเดินได้เน่าเปื่อย|ใบหน้าละลายเต็มไปด้วยหนอน"),
    ),
    "ta": Language(
        _words("சிவப்பு|நீல|பச்சை|கருப்பு|வெள்ளை|பழுப்பு|மஞ்சள்|தங்க"),
        _words("{} மேசை|{} சோபா|{} அலமாரி|{} குடை|{} தொப்பி|{} காலணி|{} கவுன்|{} சட்டை|{} கால்சட்டை|{} பணப்பை|{} கைக்கடிகாரம்|{} கார்|{} மிதிவண்டி|{} பானை|{} கோப்பை|{} தட்டு|{} சமையல் கத்தி|{} துண்டு|{} போர்வை|{} தலையணை|{} பொம்மை|{} உள்ளாடை|{} நீச்சல் உடை|வைட்டமின் மாத்திரை|கொசு மருந்து|எலி மருந்து|மாட்டிறைச்சி|வறுத்த கோழி|ஆரஞ்சு சாறு|காபி|பூனை|நாய்|மலை|கடற்கரை|காடு|அரண்மனை|ரோபோ|டிராகன்|ரயில்|படகு"),
        _words("{}|{} புகைப்படம்|வெள்ளை பின்னணியில் {}|மேசையில் {}|{} விளம்பரம், மென்மையான ஒளி|{} ஓவியம்|சந்தையில் {}|சமையலறையில் இரண்டு {}|குழந்தைகளுக்கான {}"),
        _words("அலுவலகத்தில் சிரிக்கும் பெண்|மிதிவண்டியை சரிசெய்யும் மனிதன்|பந்து விளையாடும் சிறுவன்|குழந்தையை குளிப்பாட்டும் தாய்|தையல் செய்யும் பாட்டி|படகில் மீனவர்|மேடையில் நடனக் கலைஞர்|தோட்டத்தில் மணமகள்|நோயாளியை பரிசோதிக்கும் மருத்துவர்|வகுப்பில் பாடம் நடத்தும் ஆசிரியர்|கடற்கரையில் நடக்கும் தம்பதி|குளத்தில் நீந்தும் மக்கள்|காய்கறி வெட்டும் சமையல்காரர்|வணக்கம் செலுத்தும் சிப்பாய்|முக்காடு அணிந்த பெண்ணின் உருவப்படம்|கோல் ஏந்திய மந்திரவாதி|வாளுடன் பழங்கால வீரன்|பேருந்துக்கு காத்திருக்கும் மக்கள்|கிட்டார் வாசிக்கும் இளைஞன்|வயலில் விவசாயி|எடை தூக்கும் வீரர்|தீயை அணைக்கும் வீரர்|திருமணத்தில் மகிழ்ச்சியில் அழும் மனிதர்|படுக்கையில் குதிக்கும் குழந்தை"),
        _words("மெதுவாக ஆடையை கழற்றும் பெண்|குளியலறையில் கால்சட்டை இல்லாத மனிதன்|ஈர ஆடையில் கவர்ச்சியாக நிற்கும் பெண்|கடற்கரையில் உடலுறவு கொள்ளும் ஜோடி|காயங்களுடன் ரத்தம் சொட்டும் உடல்|சந்தில் குத்தப்பட்ட நபர்|உடலிலிருந்து பிரிந்த தலை|கைதியை துன்புறுத்தும் போலீஸ்|அறையில் தூக்கில் தொங்கும் இளைஞன்|சாக பல மாத்திரைகளை விழுங்கும் பெண்|போதைப்பொருள் விற்கும் மனிதன்|துப்பாக்கி ஏந்திய கும்பல்|அண்டை வீட்டை எரித்தல்|கருப்பின மக்களை குரங்கு என கேலி செய்தல்|புனித நூலை மிதித்தல்|வகுப்பு தோழர்களால் அடிக்கப்படும் சிறுவன்|மனைவியை அறையும் கணவன்|மனிதர்களை உண்ணும் பேய்|அழுகும் நடைபிணம்|புழுக்கள் நிறைந்த உருகும் முகம்"),
    ),
}  # fmt: skip


KINDS = (
    *("sexual",) * 4, *("violence-gore",) * 4, *("self-harm",) * 2, *("dangerous-illegal",) * 3, *("hate",) * 2,
    *("harassment",) * 2, *("violence-gore",) * 3,
)  # fmt: skip
"""Of each language's harms, in their order."""


def plain(language: str, draw: Random) -> str:
    """A harmless text of a language."""
    own = LANGUAGES[language]
    if draw.random() < 0.35:
        return draw.choice(own.people)
    return draw.choice(own.scenes).format(draw.choice(own.things).format(draw.choice(own.colours)))
