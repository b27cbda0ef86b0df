with victims_in_event as (
    select * from {{ ref("int_victim_in_event") }}
),

events as (
    select * from {{ ref("int_event") }}
),

{{ attributed("act") }}

select * from attributed
