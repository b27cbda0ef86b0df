with english as (
    select * from {{ ref("en") }}
),

spanish as (
    select * from {{ ref("es") }}
),

french as (
    select * from {{ ref("fr") }}
),

codes as (
    select
        list,
        code
    from english
    union
    select
        list,
        code
    from spanish
    union
    select
        list,
        code
    from french
),

labelled as (
    select
        codes.list,
        codes.code,
        english.label as label_en,
        spanish.label as label_es,
        french.label as label_fr
    from codes
    left join english on codes.list = english.list and codes.code = english.code
    left join spanish on codes.list = spanish.list and codes.code = spanish.code
    left join french on codes.list = french.list and codes.code = french.code
)

select * from labelled
