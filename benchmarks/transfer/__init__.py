"""Does what our proxy model chose help other models, and is usefulness a matter of the data or of the model?"""
