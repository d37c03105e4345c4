"""From words to pictures: jobs, how they run, and what the commands show.  The words are the commands' own."""
