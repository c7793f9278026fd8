"""From messages and skills to tokens: chat templates, repairs of them, and the choice of a skill."""
