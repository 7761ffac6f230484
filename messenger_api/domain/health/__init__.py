"""Whether people can log in, judged from what happened: `facts` in, a `judgement` of `findings` out."""
