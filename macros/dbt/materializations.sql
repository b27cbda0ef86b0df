{#- Tables and views without the detour of a second name. dbt builds beside what is there and renames
    it, so that readers are not disturbed; tipstat always builds into a new file that nobody reads
    before it is complete, and pays that detour for every node at every build. Hooks, grants, indexes
    and persisted descriptions are not in use. -#}
{%- materialization table, adapter="duckdb" -%}
    {%- set target = this.incorporate(type="table") -%}
    {%- do drop_relation_if_exists(load_cached_relation(this)) -%}
    {%- call statement("main") -%}
        {{ create_table_as(False, target, compiled_code) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({"relations": [target]}) }}
{%- endmaterialization -%}

{%- materialization view, adapter="duckdb" -%}
    {%- set target = this.incorporate(type="view") -%}
    {%- do drop_relation_if_exists(load_cached_relation(this)) -%}
    {%- call statement("main") -%}
        {{ create_view_as(target, compiled_code) }}
    {%- endcall -%}
    {%- do adapter.commit() -%}
    {{ return({"relations": [target]}) }}
{%- endmaterialization -%}
