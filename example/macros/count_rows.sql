{# dbt run-operation count_rows --args '{model: call_fees}' #}
{% macro count_rows(model='call_fees') %}
    {% set rows = run_query('select count(*) from ' ~ ref(model)).columns[0].values()[0] %}
    {% do log(model ~ ' has ' ~ rows ~ ' rows', info=true) %}
{% endmacro %}
