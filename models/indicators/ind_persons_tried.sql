with {{ judged_figures("persons_tried") }}

select * from figures
