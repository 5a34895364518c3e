"""The languages of the multilingual families, in the order that their ids follow."""

from collections import Counter
from collections.abc import Sequence

_FIRST = """
ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV
my_MM ne_NP nl_XX ro_RO ru_RU si_LK tr_TR vi_VN zh_CN
"""
_LATER = """
af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX
sv_SE sw_KE ta_IN te_IN th_TH tl_XX uk_UA ur_PK xh_ZA gl_ES sl_SI
"""
_HUNDRED = """
af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he
hi hr ht hu hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl
no ns oc or pa pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi
yo zh zu
"""
_TWO_HUNDRED = """
ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn amh_Ethi apc_Arab arb_Arab
ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn
ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn bul_Cyrl
cat_Latn ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn
dzo_Tibt ell_Grek eng_Latn epo_Latn est_Latn eus_Latn ewe_Latn fao_Latn pes_Arab fij_Latn fin_Latn
fon_Latn fra_Latn fur_Latn fuv_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr hat_Latn hau_Latn
heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn
jav_Latn jpn_Jpan kab_Latn kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor knc_Arab knc_Latn
kaz_Cyrl kbp_Latn kea_Latn khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn kon_Latn kor_Hang kmr_Latn
lao_Laoo lvs_Latn lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn lug_Latn
luo_Latn lus_Latn mag_Deva mai_Deva mal_Mlym mar_Deva min_Latn mkd_Cyrl plt_Latn mlt_Latn mni_Beng
khk_Cyrl mos_Latn mri_Latn zsm_Latn mya_Mymr nld_Latn nno_Latn nob_Latn npi_Deva nso_Latn nus_Latn
nya_Latn oci_Latn gaz_Latn ory_Orya pag_Latn pan_Guru pap_Latn pol_Latn por_Latn prs_Arab pbt_Arab
quy_Latn ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Beng scn_Latn shn_Mymr sin_Sinh slk_Latn
slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn spa_Latn als_Latn srd_Latn srp_Cyrl ssw_Latn
sun_Latn swe_Latn swh_Latn szl_Latn tam_Taml tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi
taq_Latn taq_Tfng tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab
ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn
yue_Hant zho_Hans zho_Hant zul_Latn
"""
_SPOKEN = """
en english, zh chinese, de german, es spanish, ru russian, ko korean, fr french, ja japanese, pt
portuguese, tr turkish, pl polish, ca catalan, nl dutch, ar arabic, sv swedish, it italian, id
indonesian, hi hindi, fi finnish, vi vietnamese, he hebrew, uk ukrainian, el greek, ms malay, cs
czech, ro romanian, da danish, hu hungarian, ta tamil, no norwegian, th thai, ur urdu, hr
croatian, bg bulgarian, lt lithuanian, la latin, mi maori, ml malayalam, cy welsh, sk slovak, te
telugu, fa persian, lv latvian, bn bengali, sr serbian, az azerbaijani, sl slovenian, kn kannada,
et estonian, mk macedonian, br breton, eu basque, is icelandic, hy armenian, ne nepali, mn
mongolian, bs bosnian, kk kazakh, sq albanian, sw swahili, gl galician, mr marathi, pa punjabi, si
sinhala, km khmer, sn shona, yo yoruba, so somali, af afrikaans, oc occitan, ka georgian, be
belarusian, tg tajik, sd sindhi, gu gujarati, am amharic, yi yiddish, lo lao, uz uzbek, fo
faroese, ht haitian creole, ps pashto, tk turkmen, nn nynorsk, mt maltese, sa sanskrit, lb
luxembourgish, my myanmar, bo tibetan, tl tagalog, mg malagasy, as assamese, tt tatar, haw
hawaiian, ln lingala, ha hausa, ba bashkir, jw javanese, su sundanese, yue cantonese
"""

MBART = tuple(_FIRST.split())
MBART50 = (*MBART, *_LATER.split())
M2M100 = tuple(_HUNDRED.split())
WMT21 = ("en", "ha", "is", "ja", "cs", "ru", "zh", "de")
NLLB = tuple(_TWO_HUNDRED.split())
# What a speech model's files may call its languages, beside their codes.
SPOKEN = {name: code for code, name in (pair.split(maxsplit=1) for pair in _SPOKEN.split(","))}
_WRITTEN = """
ast asturian, ceb cebuano, ff fula, fy frisian, ga irish, gd scottish gaelic, gsw swiss german, ig
igbo, ilo ilocano, jv javanese, ku kurdish, ky kyrgyz, lg ganda, ns northern sotho, om oromo, or
odia, qu quechua, rn kirundi, rw kinyarwanda, sm samoan, ss swati, st sesotho, ti tigrinya, tn
tswana, ts tsonga, ug uyghur, wo wolof, xh xhosa, zu zulu
"""
# ISO 639-3, where a model's codes have three letters, and the codes above.
_LONG = """
eng en, zho zh, deu de, spa es, rus ru, kor ko, fra fr, jpn ja, por pt, tur tr, pol pl, cat ca, nld
nl, arb ar, swe sv, ita it, ind id, hin hi, fin fi, vie vi, heb he, ukr uk, ell el, zsm ms, ces cs,
ron ro, dan da, hun hu, tam ta, nob no, tha th, urd ur, hrv hr, bul bg, lit lt, mri mi, mal ml, cym
cy, slk sk, tel te, pes fa, lvs lv, ben bn, srp sr, azj az, slv sl, kan kn, est et, mkd mk, eus eu,
isl is, hye hy, npi ne, khk mn, bos bs, kaz kk, als sq, swh sw, glg gl, mar mr, pan pa, sin si, khm
km, sna sn, yor yo, som so, afr af, oci oc, kat ka, bel be, tgk tg, snd sd, guj gu, amh am, ydd yi,
lao lo, uzn uz, fao fo, hat ht, pbt ps, tuk tk, nno nn, mlt mt, san sa, ltz lb, mya my, bod bo, tgl
tl, plt mg, asm as, tat tt, lin ln, hau ha, bak ba, jav jv, sun su, gle ga, gla gd, ibo ig, kmr ku,
kir ky, lug lg, nso ns, gaz om, ory or, quy qu, run rn, kin rw, smo sm, ssw ss, sot st, tir ti, tsn
tn, tso ts, uig ug, wol wo, xho xh, zul zu
"""
# The other languages of NLLB, called as FLORES-200 calls them (NLLB Team et al. 2022, table 1).
# Codes that differ only in their script are whole here.
_FLORES = """
ace_Arab Acehnese (Arabic script), ace_Latn Acehnese (Latin script), acm Mesopotamian Arabic, acq
Ta'izzi-Adeni Arabic, aeb Tunisian Arabic, ajp South Levantine Arabic, aka Akan, apc North
Levantine Arabic, ars Najdi Arabic, ary Moroccan Arabic, arz Egyptian Arabic, awa Awadhi, ayr
Central Aymara, azb South Azerbaijani, bam Bambara, ban Balinese, bem Bemba, bho Bhojpuri, bjn_Arab
Banjar (Arabic script), bjn_Latn Banjar (Latin script), bug Buginese, cjk Chokwe, ckb Central
Kurdish, crh Crimean Tatar, dik Southwestern Dinka, dyu Dyula, dzo Dzongkha, epo Esperanto, ewe Ewe,
fij Fijian, fon Fon, fur Friulian, fuv Nigerian Fulfulde, grn Guarani, hne Chhattisgarhi, kab
Kabyle, kac Jingpho, kam Kamba, kas_Arab Kashmiri (Arabic script), kas_Deva Kashmiri (Devanagari
script), kbp Kabiyè, kea Kabuverdianu, kik Kikuyu, kmb Kimbundu, knc_Arab Central Kanuri (Arabic
script), knc_Latn Central Kanuri (Latin script), kon Kikongo, lij Ligurian, lim Limburgish, lmo
Lombard, ltg Latgalian, lua Luba-Kasai, luo Luo, lus Mizo, mag Magahi, mai Maithili, min
Minangkabau, mni Meitei, mos Mossi, nus Nuer, nya Nyanja, pag Pangasinan, pap Papiamento, prs Dari,
sag Sango, sat Santali, scn Sicilian, shn Shan, srd Sardinian, szl Silesian, taq_Latn Tamasheq
(Latin script), taq_Tfng Tamasheq (Tifinagh script), tpi Tok Pisin, tum Tumbuka, twi Twi, tzm
Central Atlas Tamazight, umb Umbundu, vec Venetian, war Waray, zho_Hans Chinese (simplified),
zho_Hant Chinese (traditional)
"""
# PLBart's programming languages and English; its first models know three.
PLBART = ("java", "python", "en_XX", "javascript", "php", "ruby", "go")
_PROGRAMMING = "java Java, python Python, javascript JavaScript, php PHP, ruby Ruby, go Go"


def _pairs(table: str) -> dict[str, str]:
    return dict(" ".join(pair.split()).split(" ", 1) for pair in table.split(","))


_NAMES = {code: name.title() for name, code in SPOKEN.items()}
_NAMES |= {code: name.title() for code, name in _pairs(_WRITTEN).items()}
_NAMES |= {long: _NAMES[short] for long, short in _pairs(_LONG).items()}
_NAMES |= _pairs(_FLORES) | _pairs(_PROGRAMMING)


def language_name(code: str) -> str:
    """Return the English name of a language, of en and of en_XX; the code where none is known."""
    return _NAMES.get(code, _NAMES.get(code.partition("_")[0], code))


def language_names(codes: Sequence[str]) -> dict[str, str]:
    """Return a name for each language that no other one has: with its code where two share it."""
    names = {code: language_name(code) for code in codes}
    counts = Counter(names.values())
    return {code: name if counts[name] == 1 else f"{name} ({code})" for code, name in names.items()}
