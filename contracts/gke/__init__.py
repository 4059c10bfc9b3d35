"""Google Kubernetes Engine as console and Airflow speak of it: a run's parameters, a new cluster, names and marks."""
