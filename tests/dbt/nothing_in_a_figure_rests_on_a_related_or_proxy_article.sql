{{ config(tags=["invariant"]) }}

-- What a sender confined to an article of related or proxy law, or of none in the map, stands in
-- fct_reported_cell alone: every cell behind a figure names no article or one of trafficking
-- (STATISTICS section 5). The articles of records are held by
-- no_related_or_proxy_offence_stands_under_0204.
with behind_figures as (
    select
        flows.cell_key,
        cells.submission_id,
        cells.reporting_entity,
        cells.source_sheet,
        cells.source_row,
        cells.legal_article,
        cells.relation,
        cells.iccs_code
    from {{ ref("ind_reported_flow") }} as flows
    inner join {{ ref("fct_reported_cell") }} as cells on flows.cell_key = cells.cell_key
)

select * from behind_figures
where
    legal_article <> '_T'
    and (
        relation not in ('TIP_SPECIFIC', 'TIP_OTHER_ARTICLE')
        or iccs_code not like '0204%'
    )
