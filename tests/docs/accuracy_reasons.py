# Why PyTorch is nearer to the truth where it is: patterns of the function, the place and the dtype, the derivatives
# ("value", "first", "second"), and the reason. A case without a reason fails long_accuracy_test.cpp, and so does a
# reason without a case.
reasons = []
