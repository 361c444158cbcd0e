"""The themes that a new installation starts with, in the languages that 0002 did not know.

Only where staff have neither renamed a theme nor named it themselves.
"""

from django.db import migrations

# English, Spanish, Arabic, Russian, Chinese
THEMES = [
    (
        "Civil and political rights",
        "Derechos civiles y políticos",
        "الحقوق المدنية والسياسية",
        "Гражданские и политические права",
        "公民权利和政治权利",
    ),
    (
        "Civic space, expression and association",
        "Espacio cívico, expresión y asociación",
        "الحيز المدني وحرية التعبير وتكوين الجمعيات",
        "Гражданское пространство, свобода выражения мнений и объединений",
        "公民空间、表达和结社",
    ),
    (
        "Human rights defenders",
        "Personas defensoras de los derechos humanos",
        "المدافعون عن حقوق الإنسان",
        "Правозащитники",
        "人权维护者",
    ),
    (
        "Torture, detention and the death penalty",
        "Tortura, detención y pena de muerte",
        "التعذيب والاحتجاز وعقوبة الإعدام",
        "Пытки, содержание под стражей и смертная казнь",
        "酷刑、拘留和死刑",
    ),
    (
        "Justice and the rule of law",
        "Justicia y Estado de derecho",
        "العدالة وسيادة القانون",
        "Правосудие и верховенство права",
        "司法与法治",
    ),
    (
        "Women’s rights and gender equality",
        "Derechos de las mujeres e igualdad de género",
        "حقوق المرأة والمساواة بين الجنسين",
        "Права женщин и гендерное равенство",
        "妇女权利和性别平等",
    ),
    ("Rights of the child", "Derechos del niño", "حقوق الطفل", "Права ребёнка", "儿童权利"),
    (
        "Sexual orientation and gender identity",
        "Orientación sexual e identidad de género",
        "الميل الجنسي والهوية الجنسانية",
        "Сексуальная ориентация и гендерная идентичность",
        "性取向和性别认同",
    ),
    (
        "Persons with disabilities",
        "Personas con discapacidad",
        "الأشخاص ذوو الإعاقة",
        "Люди с инвалидностью",
        "残疾人",
    ),
    (
        "Minorities, racism and discrimination",
        "Minorías, racismo y discriminación",
        "الأقليات والعنصرية والتمييز",
        "Меньшинства, расизм и дискриминация",
        "少数群体、种族主义和歧视",
    ),
    ("Indigenous peoples", "Pueblos indígenas", "الشعوب الأصلية", "Коренные народы", "土著人民"),
    (
        "Migrants, refugees and stateless persons",
        "Personas migrantes, refugiadas y apátridas",
        "المهاجرون واللاجئون وعديمو الجنسية",
        "Мигранты, беженцы и лица без гражданства",
        "移民、难民和无国籍人",
    ),
    (
        "Economic, social and cultural rights",
        "Derechos económicos, sociales y culturales",
        "الحقوق الاقتصادية والاجتماعية والثقافية",
        "Экономические, социальные и культурные права",
        "经济、社会和文化权利",
    ),
    ("Health", "Salud", "الصحة", "Здоровье", "健康"),
    ("Education", "Educación", "التعليم", "Образование", "教育"),
    (
        "Work and trafficking in persons",
        "Trabajo y trata de personas",
        "العمل والاتجار بالأشخاص",
        "Труд и торговля людьми",
        "劳动与人口贩运",
    ),
    (
        "Environment, climate and business",
        "Medio ambiente, clima y empresas",
        "البيئة والمناخ والأعمال التجارية",
        "Окружающая среда, климат и бизнес",
        "环境、气候与工商业",
    ),
    (
        "National institutions and treaties",
        "Instituciones nacionales y tratados",
        "المؤسسات الوطنية والمعاهدات",
        "Национальные учреждения и договоры",
        "国家机构与条约",
    ),
    ("Another theme", "Otro tema", "موضوع آخر", "Другая тема", "其他主题"),
]


def fill(apps, schema_editor):
    theme = apps.get_model("applications", "Theme")
    for english, *names in THEMES:
        for language, name in zip(("es", "ar", "ru", "zh"), names, strict=True):
            field = f"name_{language}"
            theme.objects.filter(name_en=english, **{field: ""}).update(**{field: name})


class Migration(migrations.Migration):
    dependencies = [("applications", "0005_the_whole_way")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
