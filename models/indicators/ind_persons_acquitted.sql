with {{ judged_figures("persons_acquitted") }}

select * from figures
