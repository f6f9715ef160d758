# What a call about a job does, once its variables are set.
hr_main
