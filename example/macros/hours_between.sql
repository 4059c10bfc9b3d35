{% macro hours_between(earlier, later) -%}
    date_diff('minute', {{ earlier }}, {{ later }}) / 60.0
{%- endmacro %}
