"""Public pages. `calls`: what everybody may read; `start`: from a State to a personal link; `form`: the applicant's own
pages, by session; `contacts`: who is told of the call. Room: applications."""
