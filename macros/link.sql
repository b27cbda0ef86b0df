{#- Connected components in a fixed number of rounds, as CTEs behind the CTE `edges_1` (from_node,
    to_node; labels with an order, every edge in both directions).

    In a round every node takes the smallest label around it, then that of the node it so points to,
    twice over (labels only fall, so that no ring can arise). What is left is a smaller graph: its
    nodes are the labels, its edges lead from label to label. Where labels have no order of their
    own, as hashes, a round leaves about a third of a chain.

    Ends with `components` (node, label) and `edges_<rounds + 1>`: what the rounds did not bring
    together, empty where they were enough. -#}
{%- macro connected_components(rounds) -%}
{%- set rounds = rounds | int -%}
{%- for n in range(1, rounds + 1) %}
smallest_{{ n }} as {{ materialized() }} (
    select
        edges_{{ n }}.from_node as node,
        least(edges_{{ n }}.from_node, min(edges_{{ n }}.to_node)) as label
    from edges_{{ n }}
    group by edges_{{ n }}.from_node
),

nearer_{{ n }} as {{ materialized() }} (
    select
        own.node,
        nearer.label
    from smallest_{{ n }} as own
    inner join smallest_{{ n }} as nearer on own.label = nearer.node
),

labels_{{ n }} as {{ materialized() }} (
    select
        nearer_{{ n }}.node,
        farther.label
    from nearer_{{ n }}
    inner join smallest_{{ n }} as farther on nearer_{{ n }}.label = farther.node
),

half_labelled_{{ n }} as {{ materialized() }} (
    select
        from_labels.label as from_label,
        edges_{{ n }}.to_node
    from edges_{{ n }}
    inner join labels_{{ n }} as from_labels on edges_{{ n }}.from_node = from_labels.node
),

moved_{{ n }} as {{ materialized() }} (
    select
        labels_{{ n }}.label as from_node,
        next_labels.label as to_node
    from labels_{{ n }}
    inner join labels_{{ n }} as next_labels on labels_{{ n }}.label = next_labels.node
    where labels_{{ n }}.label <> next_labels.label
),

crossing_{{ n }} as {{ materialized() }} (
    select
        half_labelled_{{ n }}.from_label as from_node,
        to_labels.label as to_node
    from half_labelled_{{ n }}
    inner join labels_{{ n }} as to_labels on half_labelled_{{ n }}.to_node = to_labels.node
    where half_labelled_{{ n }}.from_label <> to_labels.label
    union all
    select
        moved_{{ n }}.from_node,
        moved_{{ n }}.to_node
    from moved_{{ n }}
    union all
    select
        moved_{{ n }}.to_node as from_node,
        moved_{{ n }}.from_node as to_node
    from moved_{{ n }}
),

edges_{{ n + 1 }} as {{ materialized() }} (
    select distinct
        crossing_{{ n }}.from_node,
        crossing_{{ n }}.to_node
    from crossing_{{ n }}
),
{% endfor %}
components_{{ rounds }} as {{ materialized() }} (
    select
        labels_{{ rounds }}.node,
        labels_{{ rounds }}.label
    from labels_{{ rounds }}
),
{% for n in range(rounds - 1, 0, -1) %}
components_{{ n }} as {{ materialized() }} (
    select
        labels_{{ n }}.node,
        coalesce(components_{{ n + 1 }}.label, labels_{{ n }}.label) as label
    from labels_{{ n }}
    left join components_{{ n + 1 }} on labels_{{ n }}.label = components_{{ n + 1 }}.node
),
{% endfor %}
components as (
    select
        components_1.node,
        components_1.label
    from components_1
)
{%- endmacro -%}
